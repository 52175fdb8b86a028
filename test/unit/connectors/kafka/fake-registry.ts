import { createServer, type IncomingMessage } from "node:http";

export interface FakeRegistry extends AsyncDisposable {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  /** Confluent's ids, or Glue's; `undefined`: gone again. */
  readonly schemas: Map<string, Readonly<Record<string, unknown>>>;
  readonly versions: Map<string, Readonly<Record<string, unknown>>>;
  /** The next answers are these in place of its own. */
  readonly faults: { readonly status: number; readonly body: string }[];
}

const LOGIN = `Basic ${Buffer.from("me:pass").toString("base64")}`;

/**
 * Confluent's and Glue's API on loopback, as their documents have them: whatever else is asked, or asked without a
 * login, is refused.
 */
export async function startFakeRegistry(): Promise<FakeRegistry> {
  const [asked, faults]: [string[], FakeRegistry["faults"]] = [[], []];
  const schemas: FakeRegistry["schemas"] = new Map();
  const versions: FakeRegistry["versions"] = new Map();
  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const body = await textOf(request);
    asked.push(path === "/" ? body : path);
    const fault = faults.shift();
    const [status, answer] = fault === undefined ? own(request, path, body) : [fault.status, fault.body];
    response.writeHead(status, { "content-type": "application/vnd.schemaregistry.v1+json" }).end(answer);
  });
  const own = (request: IncomingMessage, path: string, body: string): readonly [number, string] => {
    if (request.method === "POST" && path === "/") return glue(request, body);
    if (request.method !== "GET") return [405, ""];
    if (request.headers.authorization !== LOGIN) return [401, '{"error_code":401,"message":"me:pass"}'];
    const id = /^\/schemas\/ids\/(\d+)$/.exec(path)?.[1];
    const found = id === undefined ? versions.get(decodeURIComponent(path)) : schemas.get(id);
    return found === undefined ? [404, '{"error_code":40403}'] : [200, JSON.stringify(found)];
  };
  const glue = ({ headers }: IncomingMessage, body: string): readonly [number, string] => {
    if (headers["x-amz-target"] !== "AWSGlue.GetSchemaVersion") return [404, ""];
    const isSigned =
      /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/glue\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target,/;
    if (!isSigned.test(headers.authorization ?? "")) return [400, '{"__type":"AccessDeniedException"}'];
    const found = schemas.get(JSON.parse(body).SchemaVersionId);
    return found === undefined ? [400, '{"__type":"EntityNotFoundException"}'] : [200, JSON.stringify(found)];
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("no port");
  return {
    ...{ url: `http://127.0.0.1:${bound.port}`, asked, schemas, versions, faults },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) text += String(piece);
  return text;
}
