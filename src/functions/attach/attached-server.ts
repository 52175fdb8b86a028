import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { errorBodyOf, type FailedCall } from "../../model/error-body.ts";
import { PAYLOAD_BYTES_MAX } from "../../model/limits.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import type { Clock } from "../../ports/clock.ts";
import { RuntimeCall } from "../runtime/runtime-call.ts";
import { StreamedAnswer } from "../streamed-answer.ts";
import { AttachedStream } from "./attached-stream.ts";
import type { Attachment } from "./attachment.ts";
import { readBody } from "./request-body.ts";

const HEADER_BYTES_MAX = 16 * 1024;
const TIMEOUT_MS_DEFAULT = 900_000;
/** A wake of the engine's clock and ours is no reason to give a call no time at all. */
const TIMEOUT_MS_MIN = 1;
const NEVER = new AbortController().signal;

/** The function as a server of the HTTP function contract (http-function.md), with `/healthz` and `/readyz`. */
export class AttachedServer {
  readonly #attachment: Attachment;
  readonly #clock: Clock;
  readonly #server: Server;

  constructor(attachment: Attachment, clock: Clock) {
    this.#attachment = attachment;
    this.#clock = clock;
    this.#server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) =>
      this.#answer(request, response),
    );
    // Longer than whoever calls keeps a connection unused.
    this.#server.keepAliveTimeout = 75_000;
    this.#server.requestTimeout = 0;
  }

  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => resolve());
    });
    return `http://${host.includes(":") ? `[${host}]` : host}:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === "POST") {
      readBody(request, PAYLOAD_BYTES_MAX, {
        onRead: (payload) => this.#run(payload, request, response),
        onTooLarge: () => send(response, 413, { message: "The event is larger than 6 MiB." }),
        onBroken: () => response.destroy(),
      });
      return;
    }
    request.resume();
    const { standing } = this.#attachment;
    if (request.url === "/healthz") send(response, 200, { status: "ok" });
    else if (request.url === "/readyz")
      send(response, standing === "unready" ? 503 : 200, { status: standing });
    else send(response, 405, { message: "Events are posted." });
  }

  #run(payload: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
    const header = (name: string) => textOf(request.headers[`lambda-runtime-${name}`]);
    const deadlineMs = Number(header("deadline-ms") ?? Number.NaN);
    const leftMs = deadlineMs - this.#clock.now();
    const timeoutMs = Number.isFinite(leftMs) ? Math.max(TIMEOUT_MS_MIN, leftMs) : TIMEOUT_MS_DEFAULT;
    const requestId = header("aws-request-id") ?? crypto.randomUUID();
    const isStreamed = header("function-response-mode") === "streaming";
    const stream = isStreamed ? new AttachedStream(response, this.#clock) : undefined;
    const call = new RuntimeCall({
      payload,
      context: {
        requestId,
        functionName: "",
        functionArn: header("invoked-function-arn") ?? "",
        deadlineMs: this.#clock.now() + timeoutMs,
        timeoutMs,
      },
      signal: NEVER,
      traceId: header("trace-id") ?? "",
      clientContext: header("client-context"),
      stream: stream && new StreamedAnswer(stream, this.#clock, "$LATEST"),
      onSettled: (outcome) => {
        if (stream?.isOpen === true) stream.end(outcome, { requestId, timeoutMs });
        else answerWith(response, outcome, { requestId, timeoutMs });
      },
    });
    this.#attachment.run(call);
  }
}

function answerWith(response: ServerResponse, outcome: InvocationOutcome, call: FailedCall): void {
  switch (outcome.kind) {
    case "succeeded":
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": outcome.payload.length,
      });
      response.end(outcome.payload);
      return;
    case "functionError":
      send(response, 200, errorBodyOf(outcome, call), { "x-amz-function-error": "Unhandled" });
      return;
    case "timedOut":
      send(response, 504, { message: "The function's time was up." });
      return;
    case "throttled":
      send(response, 429, { message: "It has a call. Ask another pod." });
      return;
    case "unavailable":
      send(response, 503, { message: outcome.message });
      return;
    case "payloadTooLarge":
      send(response, 413, { message: "The event is too large." });
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...headers, "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
