import { createServer, type IncomingMessage } from "node:http";

export interface TokenRequest {
  readonly method: string;
  readonly authorization: string | undefined;
  readonly fields: URLSearchParams;
}

export interface TokenEndpoint extends AsyncDisposable {
  readonly url: string;
  readonly requests: TokenRequest[];
  /** The next answers; the last one is given again. */
  answers: { readonly status: number; readonly body: string; readonly location?: string }[];
}

/** A token endpoint on loopback that answers as it is told, and keeps what it was asked. */
export async function startTokenEndpoint(...answers: TokenEndpoint["answers"]): Promise<TokenEndpoint> {
  const requests: TokenRequest[] = [];
  const endpoint = { answers };
  const server = createServer(async (request, response) => {
    requests.push({
      method: request.method ?? "",
      authorization: request.headers.authorization,
      fields: new URLSearchParams(await textOf(request)),
    });
    const [next] = endpoint.answers.length > 1 ? endpoint.answers.splice(0, 1) : endpoint.answers;
    const { status = 500, body = "", location } = next ?? {};
    response.writeHead(status, location === undefined ? {} : { location }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("no port");
  return Object.assign(endpoint, {
    url: `http://127.0.0.1:${bound.port}/token`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) text += String(piece);
  return text;
}
