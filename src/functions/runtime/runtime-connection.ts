import { connect, type Socket } from "node:net";

/** An event, as a handler's client gets it. */
export interface HandedEvent {
  /** Counts until whoever is told of the event returns. */
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
  /** Its lines, as Latin-1. */
  readonly head: string;
  /** Counts until this has been taken: what is read next stands in the same memory. */
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
/** "HTTP/1.1 " */
const STATUS_AT = 9;
/** What is read at once of an event; of more than one connection less. */
const READ_BYTES = 64 * 1024;
const SHARED_READ_BYTES = 8 * 1024;
const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";
const END_OF_HEAD = "\r\n\r\n";

/**
 * A client's side of the Runtime API: one request at a time, over one connection. While none is under way it keeps no
 * process alive. It reads what our own host writes and no more: a whole client of HTTP costs several times as much CPU.
 */
export class RuntimeConnection {
  readonly #address: string;
  readonly #readBytes: number;
  #socket: Socket | undefined;
  #pending: PendingAnswer | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isStreamAnswered = false;
  /** Where the answer that arrives ends; 0: its head is not there yet. */
  #wholeBytes = 0;

  /** `address`: `HOST:PORT`. `isOneOfMany`: memory counts more than speed. */
  constructor(address: string, isOneOfMany = false) {
    this.#address = address;
    this.#readBytes = isOneOfMany ? SHARED_READ_BYTES : READ_BYTES;
  }

  /** `onLost`: there is nobody who would answer. */
  next(onEvent: (event: HandedEvent) => void, onLost: () => void): void {
    const onAnswer = (answer: HostAnswer) => (answer.status === OK ? onEvent(eventOf(answer)) : onLost());
    this.#send(`GET ${RUNTIME}/invocation/next`, "", undefined, { onAnswer, onLost });
  }

  /** Answers, and asks for the next in the same round, where the host can do that. `errorType`: it is a failure. */
  answerAndNext(
    id: string,
    body: Uint8Array,
    errorType: string | undefined,
    onEvent: (event: HandedEvent) => void,
    onLost: () => void,
  ): void {
    const onAnswer = (answer: HostAnswer) =>
      answer.status === OK ? onEvent(eventOf(answer)) : this.next(onEvent, onLost);
    this.#send(answerCall(id, errorType), THEN_NEXT + errorLine(errorType), body, { onAnswer, onLost });
  }

  /** `errorType`: it is a failure. */
  answer(
    id: string,
    body: Uint8Array,
    errorType: string | undefined,
    onDone: () => void,
    onLost: () => void,
  ): void {
    this.#send(answerCall(id, errorType), errorLine(errorType), body, { onAnswer: onDone, onLost });
  }

  initError(body: Uint8Array, errorType: string, onDone: () => void, onLost: () => void): void {
    const onAnswer = ({ status }: HostAnswer) => (status === ACCEPTED ? onDone() : onLost());
    this.#send(`POST ${RUNTIME}/init/error`, errorLine(errorType), body, { onAnswer, onLost });
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

  /** `lines`: headers beside those of each request, with their ends. */
  #send(call: string, lines: string, body: Uint8Array | undefined, pending: PendingAnswer): void {
    this.#pending = pending;
    this.#socket ??= this.#connect();
    this.#socket.ref();
    const head = `${call} HTTP/1.1\r\nHost: ${this.#address}\r\n${lines}`;
    if (body === undefined) {
      this.#socket.write(`${head}\r\n`, "latin1");
      return;
    }
    const whole = `${head}Content-Type: application/json\r\nContent-Length: ${body.length}${END_OF_HEAD}`;
    if (body.length > READ_BYTES) {
      this.#socket.cork();
      this.#socket.write(whole, "latin1");
      this.#socket.write(body);
      this.#socket.uncork();
      return;
    }
    // One piece, and one write.
    const joined = Buffer.allocUnsafe(whole.length + body.length);
    joined.write(whole, "latin1");
    joined.set(body, whole.length);
    this.#socket.write(joined);
  }

  #connect(): Socket {
    const colon = this.#address.lastIndexOf(":");
    const host = this.#address.slice(0, colon);
    const socket = connect({
      ...{ host, port: Number(this.#address.slice(colon + 1)), noDelay: true },
      // One piece of memory for all that is read, instead of one for each.
      onread: {
        buffer: Buffer.allocUnsafeSlow(this.#readBytes),
        callback: (bytes, buffer) => {
          this.#read(buffer.subarray(0, bytes));
          return true;
        },
      },
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      const pending = this.#pending;
      this.#pending = undefined;
      this.#socket = undefined;
      pending?.onLost();
    });
    return socket;
  }

  #read(chunk: Uint8Array): void {
    const read = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    if (this.#chunks.length > 0) {
      this.#chunks.push(Buffer.from(read));
      this.#bytes += read.length;
      if (this.#wholeBytes > 0 && this.#bytes < this.#wholeBytes) return;
      this.#take(Buffer.concat(this.#chunks));
    } else {
      this.#take(read);
    }
  }

  /** `read`: all that has come of an answer. */
  #take(read: Buffer): void {
    const end = read.indexOf(END_OF_HEAD);
    const head = end < 0 ? "" : read.toString("latin1", 0, end);
    const bodyAt = end + END_OF_HEAD.length;
    this.#wholeBytes = end < 0 ? 0 : bodyAt + Number(headerOf(head, "Content-Length") ?? 0);
    if (end < 0 || read.length < this.#wholeBytes) {
      this.#chunks = [Buffer.from(read)];
      this.#bytes = read.length;
      return;
    }
    const pending = this.#pending;
    this.#pending = undefined;
    this.#chunks = [];
    this.#wholeBytes = 0;
    this.#socket?.unref();
    const status = Number(head.slice(STATUS_AT, STATUS_AT + 3));
    pending?.onAnswer({ status, head, body: read.subarray(bodyAt) });
  }
}

const THEN_NEXT = "Millrace-Then: next\r\n";

function answerCall(id: string, errorType: string | undefined): string {
  return `POST ${RUNTIME}/invocation/${id}/${errorType === undefined ? "response" : "error"}`;
}

/** Whatever a handler throws has a name of its own. */
function errorLine(errorType: string | undefined): string {
  return errorType === undefined ? "" : `${ERROR_TYPE}: ${headerText(errorType)}\r\n`;
}

function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 256);
}

/** As our host writes it. */
function headerOf(head: string, name: string): string | undefined {
  const at = head.indexOf(`\r\n${name}: `);
  if (at < 0) return undefined;
  const from = at + name.length + 4;
  const end = head.indexOf("\r\n", from);
  return head.slice(from, end < 0 ? undefined : end);
}

function eventOf({ head, body }: HostAnswer): HandedEvent {
  const text = (name: string) => headerOf(head, `Lambda-Runtime-${name}`);
  const context = text("Client-Context");
  return {
    payload: body,
    requestId: text("Aws-Request-Id") ?? "",
    functionArn: text("Invoked-Function-Arn") ?? "",
    deadlineMs: Number(text("Deadline-Ms")),
    traceId: text("Trace-Id") ?? "",
    clientContext: context === undefined ? undefined : Buffer.from(context).toString("base64"),
  };
}
