import { Agent, request } from "node:http";

/**
 * The handler of scenarios with `function: { kind: module }`: runs in a worker thread of the engine and passes its
 * event on to the harness, which decides how it ends.
 */
export async function handler(event: unknown, context: LambdaContext): Promise<unknown> {
  const deadlineMs = Date.now() + context.getRemainingTimeInMillis();
  const { status, isFunctionError, body } = await post(JSON.stringify(event), deadlineMs);
  const answer: unknown = body === "" ? null : JSON.parse(body);
  if (status === 200 && !isFunctionError) return answer;
  throw new Error(body);
}

interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

const URL_VARIABLE = "LOAD_FUNCTION_URL";
const agent = new Agent({ keepAlive: true });

interface Reply {
  readonly status: number;
  readonly isFunctionError: boolean;
  readonly body: string;
}

function post(event: string, deadlineMs: number): Promise<Reply> {
  const headers = { "lambda-runtime-deadline-ms": String(Math.round(deadlineMs)) };
  return new Promise((resolve, reject) => {
    const call = request(process.env[URL_VARIABLE] ?? "", { method: "POST", agent, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        body += part;
      });
      response.on("end", () => {
        const isFunctionError = response.headers["x-amz-function-error"] !== undefined;
        resolve({ status: response.statusCode ?? 0, isFunctionError, body });
      });
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end(event);
  });
}
