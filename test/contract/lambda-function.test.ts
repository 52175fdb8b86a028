import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { EVENT_STREAM_TYPE, eventMessage } from "../../src/api/event-stream.ts";
import { createLambdaFunction } from "../../src/functions/lambda.ts";
import { describeFunctionTargetContract } from "./function-target.ts";
import type { Behaviour, FunctionTask } from "./function-target-run.ts";
import { writePieces } from "./piece-writer.ts";

const SUPPORTED: readonly Behaviour[] = [
  "echo",
  "returnNull",
  "returnBytes",
  "returnText",
  "throw",
  "hang",
  "trickle",
  "reset",
  "stream",
  "throttle",
  "refuse",
  "rejectSize",
];

const ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "secret",
  AWS_REGION: "eu-west-1",
};

describeFunctionTargetContract("a function of Lambda", {
  supports: new Set(SUPPORTED),
  takesAllForStreams: true,
  async create() {
    Object.assign(process.env, ENVIRONMENT);
    let executions = 0;
    const server = createServer((request, response) => {
      executions += 1;
      perform(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const target = createLambdaFunction({
      functionName: "contract",
      region: "eu-west-1",
      endpoint: `http://127.0.0.1:${port}`,
      connections: 16,
    });
    return {
      target,
      executions: () => executions,
      async close() {
        await target.close();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
});

/** Answers as Lambda's Invoke does (invocation §8). */
async function perform(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.url === "/2021-11-15/functions/contract/response-streaming-invocations") {
    await performStreamed(JSON.parse(Buffer.concat(chunks).toString()), response);
    return;
  }
  if (request.url !== "/2015-03-31/functions/contract/invocations") {
    response.writeHead(404, { "x-amzn-errortype": "ResourceNotFoundException" }).end("{}");
    return;
  }
  const event = Buffer.concat(chunks).toString();
  const task: FunctionTask = JSON.parse(event);
  response.setHeader("X-Amz-Executed-Version", "$LATEST");
  switch (task.task) {
    case "echo":
      response.end(event);
      break;
    case "returnNull":
      response.end("null");
      break;
    case "returnBytes":
      response.end(`"${"x".repeat(task.bytes - 2)}"`);
      break;
    case "returnText":
      response.end(task.text);
      break;
    case "throw":
      response.setHeader("X-Amz-Function-Error", "Unhandled");
      response.end(JSON.stringify({ errorType: task.errorType, errorMessage: task.message }));
      break;
    case "trickle": {
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(timer));
      break;
    }
    case "reset":
      request.socket.resetAndDestroy();
      break;
    case "stream":
      if (task.ending === "throw") response.setHeader("X-Amz-Function-Error", "Unhandled");
      response.end(task.ending === "throw" ? BROKEN : task.pieces.map(({ text }) => text).join(""));
      break;
    case "throttle":
      if (task.retryAfterSeconds !== undefined) response.setHeader("Retry-After", task.retryAfterSeconds);
      fail(response, 429, "TooManyRequestsException", {
        Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
        Type: "User",
        message: "Rate Exceeded.",
      });
      break;
    case "refuse":
      fail(response, 503, "ServiceUnavailableException", { Message: "no" });
      break;
    case "rejectSize":
      fail(response, 413, "RequestTooLargeException", { Type: "User", message: "too large" });
      break;
    case "hang":
    case "block":
    case "exit":
      break;
  }
}

const BROKEN = JSON.stringify({ errorType: "StreamError", errorMessage: "no more" });

/** Answers as InvokeWithResponseStream does, also what the function returns whole. */
async function performStreamed(task: FunctionTask, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": EVENT_STREAM_TYPE, "x-amz-executed-version": "$LATEST" });
  const write = (text: string) =>
    response.write(eventMessage("PayloadChunk", "application/octet-stream", Buffer.from(text)));
  if (task.task === "stream") await writePieces(task, write, () => response.destroyed);
  else write(JSON.stringify(task));
  const ending = task.task === "stream" ? task.ending : "end";
  if (ending === "hang") return;
  if (ending === "exit") {
    response.write("", () => response.destroy());
    return;
  }
  const end = ending === "throw" ? { ErrorCode: "Unhandled", ErrorDetails: BROKEN } : {};
  response.end(eventMessage("InvokeComplete", "application/json", Buffer.from(JSON.stringify(end))));
}

function fail(response: ServerResponse, status: number, code: string, body: object): void {
  response.writeHead(status, { "x-amzn-errortype": code, "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
