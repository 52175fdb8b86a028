import { connect, type Socket } from "node:net";

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

/** What came back: each answer of the host has its length. */
interface HostAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What stands behind the end of a stream that failed on its way. */
export interface StreamFailure {
  readonly errorType: string;
  readonly body: Buffer;
}

interface PendingAnswer {
  onAnswer(answer: HostAnswer): void;
  onLost(): void;
}

const RUNTIME = "/2018-06-01/runtime";
const OK = 200;
const ACCEPTED = 202;
const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";
const END_OF_HEAD = "\r\n\r\n";

/**
 * A client's side of the Runtime API: one request at a time, over one connection. While none is under way it keeps no
 * process alive. It reads what our own host writes and no more: a whole client of HTTP costs several times as much CPU.
 */
export class RuntimeConnection {
  readonly #address: string;
  #socket: Socket | undefined;
  #pending: PendingAnswer | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isStreamAnswered = false;
  /** Where the answer that arrives ends; 0: its head is not there yet. */
  #wholeBytes = 0;
  #headBytes = 0;

  /** `address`: `HOST:PORT`. */
  constructor(address: string) {
    this.#address = address;
  }

  /** `onLost`: there is nobody who would answer. */
  next(onEvent: (event: HandedEvent) => void, onLost: () => void): void {
    const onAnswer = (answer: HostAnswer) => (answer.status === OK ? onEvent(eventOf(answer)) : onLost());
    this.#send(`GET ${RUNTIME}/invocation/next`, undefined, undefined, { onAnswer, onLost });
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
    this.#send(`POST ${RUNTIME}${path}`, body, errorType, { onAnswer: onDone, onLost });
  }

  initError(body: Uint8Array, errorType: string, onDone: () => void, onLost: () => void): void {
    const onAnswer = ({ status }: HostAnswer) => (status === ACCEPTED ? onDone() : onLost());
    this.#send(`POST ${RUNTIME}/init/error`, body, errorType, { onAnswer, onLost });
  }

  /** Until `endStream` nothing else may be sent. `onLost`: nobody reads it. */
  beginStream(id: string, contentType: string, onLost: () => void): void {
    this.#isStreamAnswered = false;
    this.#pending = {
      // Who has read enough answers before the end.
      onAnswer: () => {
        this.#isStreamAnswered = true;
      },
      onLost,
    };
    this.#socket ??= this.#connect();
    const lines = [
      `POST ${RUNTIME}/invocation/${id}/response HTTP/1.1`,
      `Host: ${this.#address}`,
      `Content-Type: ${headerText(contentType)}`,
      "Transfer-Encoding: chunked",
      "Lambda-Runtime-Function-Response-Mode: streaming",
      `Trailer: ${ERROR_TYPE}, ${ERROR_BODY}`,
    ];
    this.#socket.write(lines.join("\r\n") + END_OF_HEAD, "latin1");
  }

  /** `done`: it is on its way, or lost. */
  writeStream(chunk: Uint8Array, done: () => void): void {
    const socket = this.#socket;
    if (socket === undefined) {
      done();
      return;
    }
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, "latin1");
    socket.write(chunk);
    socket.write("\r\n", "latin1", () => done());
    socket.uncork();
  }

  endStream(failure: StreamFailure | undefined, onDone: () => void, onLost: () => void): void {
    const trailers =
      failure === undefined
        ? ""
        : `${ERROR_TYPE}: ${headerText(failure.errorType)}\r\n${ERROR_BODY}: ${failure.body.toString("base64")}\r\n`;
    const hasAnswer = this.#isStreamAnswered;
    if (!hasAnswer) {
      this.#pending = { onAnswer: onDone, onLost };
      this.#socket?.ref();
    }
    this.#socket?.write(`0\r\n${trailers}\r\n`, "latin1");
    if (hasAnswer) onDone();
  }

  #send(
    call: string,
    body: Uint8Array | undefined,
    errorType: string | undefined,
    pending: PendingAnswer,
  ): void {
    this.#pending = pending;
    this.#socket ??= this.#connect();
    const lines = [`${call} HTTP/1.1`, `Host: ${this.#address}`];
    if (body !== undefined) lines.push("Content-Type: application/json", `Content-Length: ${body.length}`);
    // Whatever a handler throws has a name of its own.
    if (errorType !== undefined) lines.push(`${ERROR_TYPE}: ${headerText(errorType)}`);
    this.#socket.ref();
    this.#socket.cork();
    this.#socket.write(lines.join("\r\n") + END_OF_HEAD, "latin1");
    if (body !== undefined) this.#socket.write(body);
    this.#socket.uncork();
  }

  #connect(): Socket {
    const colon = this.#address.lastIndexOf(":");
    const host = this.#address.slice(0, colon);
    const socket = connect({ host, port: Number(this.#address.slice(colon + 1)), noDelay: true });
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      const pending = this.#pending;
      this.#pending = undefined;
      this.#socket = undefined;
      pending?.onLost();
    });
    return socket;
  }

  #read(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#wholeBytes === 0) this.#readHead();
    if (this.#wholeBytes === 0 || this.#bytes < this.#wholeBytes) return;
    const whole = this.#joined();
    const answer = answerOf(whole, this.#headBytes);
    const pending = this.#pending;
    this.#pending = undefined;
    this.#chunks = [];
    this.#bytes = 0;
    this.#wholeBytes = 0;
    this.#socket?.unref();
    pending?.onAnswer(answer);
  }

  #readHead(): void {
    const read = this.#joined();
    const end = read.indexOf(END_OF_HEAD);
    if (end < 0) return;
    this.#headBytes = end + END_OF_HEAD.length;
    const length = /\r\ncontent-length: *(\d+)/i.exec(read.toString("latin1", 0, end))?.[1];
    this.#wholeBytes = this.#headBytes + Number(length ?? 0);
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}

function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 256);
}

function answerOf(whole: Buffer, headBytes: number): HostAnswer {
  const [first = "", ...lines] = whole.toString("latin1", 0, headBytes).split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(first.split(" ", 2)[1]), headers, body: whole.subarray(headBytes) };
}

function eventOf({ headers, body }: HostAnswer): HandedEvent {
  const text = (name: string) => headers.get(`lambda-runtime-${name}`);
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
