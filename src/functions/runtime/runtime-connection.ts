import { Agent, type IncomingMessage, request } from "node:http";

/** An event, as a handler's client gets it. */
export interface HandedEvent {
  readonly payload: Uint8Array;
  readonly requestId: string;
  readonly functionArn: string;
  readonly deadlineMs: number;
  readonly traceId: string;
  /** Base64 of JSON. */
  readonly clientContext: string | undefined;
}

const RUNTIME = "/2018-06-01/runtime";
const ACCEPTED = 202;

/**
 * A client's side of the Runtime API: one request at a time, over one connection. While none is under way it keeps no
 * process alive.
 */
export class RuntimeConnection {
  readonly #host: string;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  /** `address`: `HOST:PORT`. */
  constructor(address: string) {
    const colon = address.lastIndexOf(":");
    this.#host = address.slice(0, colon);
    this.#port = Number(address.slice(colon + 1));
  }

  /** `onLost`: there is nobody who would answer. */
  next(onEvent: (event: HandedEvent) => void, onLost: () => void): void {
    this.#send("GET", "/invocation/next", undefined, undefined, onLost, (response, body) => {
      if (response.statusCode !== 200) onLost();
      else onEvent(eventOf(response, body));
    });
  }

  /** `errorType`: it is a failure. */
  answer(
    id: string,
    body: Uint8Array,
    errorType: string | undefined,
    onDone: () => void,
    onLost: () => void,
  ): void {
    const path = `/invocation/${id}/${errorType === undefined ? "response" : "error"}`;
    this.#send("POST", path, body, errorType, onLost, onDone);
  }

  initError(body: Uint8Array, errorType: string, onDone: () => void, onLost: () => void): void {
    this.#send("POST", "/init/error", body, errorType, onLost, ({ statusCode }) =>
      statusCode === ACCEPTED ? onDone() : onLost(),
    );
  }

  #send(
    method: "GET" | "POST",
    path: string,
    body: Uint8Array | undefined,
    errorType: string | undefined,
    onLost: () => void,
    onAnswer: (response: IncomingMessage, body: Buffer) => void,
  ): void {
    const headers: Record<string, string | number> = {};
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      headers["Content-Length"] = body.length;
    }
    // Whatever a handler throws has a name of its own.
    if (errorType !== undefined)
      headers["Lambda-Runtime-Function-Error-Type"] = errorType.replace(/[^\x20-\x7e]/g, "?").slice(0, 256);
    const sent = request(
      { host: this.#host, port: this.#port, path: RUNTIME + path, method, headers, agent: this.#agent },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("end", () => onAnswer(response, Buffer.concat(chunks)));
        response.once("error", onLost);
      },
    );
    sent.once("error", onLost);
    sent.end(body);
  }
}

function eventOf({ headers }: IncomingMessage, body: Buffer): HandedEvent {
  const text = (name: string) => {
    const value = headers[`lambda-runtime-${name}`];
    return typeof value === "string" ? value : undefined;
  };
  const context = text("client-context");
  return {
    // Memory of its own: a small body stands in one that is shared.
    payload: new Uint8Array(body),
    requestId: text("aws-request-id") ?? "",
    functionArn: text("invoked-function-arn") ?? "",
    deadlineMs: Number(text("deadline-ms")),
    traceId: text("trace-id") ?? "",
    clientContext: context === undefined ? undefined : Buffer.from(context).toString("base64"),
  };
}
