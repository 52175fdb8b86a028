import { RESPONSE_BYTES_MAX } from "../../model/limits.ts";
import type { Verdict } from "./environment-state.ts";
import { answerExtension } from "./extension-routes.ts";
import type { AnswerStream, HeldNext, RuntimeAnswer, RuntimeApi, RuntimeEvent } from "./listener.ts";
import { readBody, streamBody } from "./request-body.ts";
import type { WireRequest } from "./wire-request.ts";

const BASE = "/2018-06-01";
const ANSWER = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/;
const ERROR_TYPE = "lambda-runtime-function-error-type";
const RESPONSE_MODE = "lambda-runtime-function-response-mode";
/**
 * Our own clients say by this header that the answer to an event's answer may be the next event: so a call costs one
 * round instead of two. Whoever does not know it answers 202, and is asked.
 */
const THEN = "millrace-then";

/** One request of a runtime's client, answered as AWS does (invocation §3.1, §3.2). */
export class RuntimeExchange {
  readonly #api: RuntimeApi;
  readonly #request: WireRequest;
  /** The event that it answers. */
  #id = "";

  constructor(api: RuntimeApi, request: WireRequest) {
    this.#api = api;
    this.#request = request;
  }

  answer(): void {
    const { method, path } = this.#request.head;
    const call = `${method} ${path}`;
    const named = method === "POST" ? ANSWER.exec(path) : null;
    if (named !== null) this.#answerEvent(decoded(named[1]), named[2] === "error");
    else if (call === `GET ${BASE}/runtime/invocation/next`) this.#next();
    else if (call === `POST ${BASE}/runtime/init/error`) this.#initError();
    else if (call === `GET ${BASE}/runtime/restore/next`) this.#end(200, "");
    else if (call === `POST ${BASE}/runtime/restore/error`) this.#accepted();
    else if (call === `GET ${BASE}/ping`) this.#end(200, "pong");
    else if (!answerExtension(call, this.#api.extensions, this.#request))
      this.#end(404, "404 page not found");
  }

  #next(): void {
    const request = this.#request;
    const held: HeldNext = {
      deliver: (event) => request.answer(200, headersOf(event), event.payload),
    };
    request.whenHungUp(() => this.#api.hungUp(held));
    const { stateName } = this.#api;
    if (this.#api.next(held) !== "done") this.#notAllowed(stateName, "Ready");
  }

  #answerEvent(id: string, isError: boolean): void {
    this.#id = id;
    const { stateName } = this.#api;
    const verdict = this.#api.beginAnswer(id);
    const aim = isError ? "InvocationErrorResponse" : "InvocationResponse";
    if (verdict !== "done") {
      this.#refuse(verdict, stateName, aim);
      return;
    }
    const mode = this.#request.header(RESPONSE_MODE);
    const isUnknownMode = mode !== undefined && mode !== "streaming";
    if (mode === "streaming" && !isError) {
      const stream = this.#api.openStream(id, this.#request.header("content-type"));
      if (stream !== undefined) {
        this.#streamAnswer(stream, stateName, aim);
        return;
      }
    }
    readBody(this.#request, RESPONSE_BYTES_MAX, {
      onRead: (body) =>
        this.#endAnswer(isUnknownMode ? UNKNOWN_MODE : this.#answerOf(body, isError), stateName, aim),
      onTooLarge: () => this.#endAnswer({ kind: "tooLarge" }, stateName, aim),
      onBroken: () => this.#api.breakAnswer(this.#id),
    });
  }

  #streamAnswer(stream: AnswerStream, stateName: string, aim: string): void {
    streamBody(this.#request, stream, {
      onRead: () => this.#endAnswer(this.#failureBehind() ?? STREAMED, stateName, aim),
      onFull: () => this.#endAnswer(CUT, stateName, aim),
      onBroken: () => this.#api.breakAnswer(this.#id),
    });
  }

  #endAnswer(answer: RuntimeAnswer, stateName: string, aim: string): void {
    this.#api.endAnswer(this.#id, answer, (verdict) => {
      if (verdict !== "done") this.#refuse(verdict, stateName, aim);
      else if (answer.kind === "tooLarge" || answer === CUT)
        this.#fault(413, "RequestEntityTooLarge", TOO_LARGE);
      else if (answer === UNKNOWN_MODE)
        this.#fault(400, "InvalidFunctionResponseMode", "Invalid function response mode");
      else if (this.#request.header(THEN) === "next") this.#nextSoon();
      else this.#accepted();
    });
  }

  /** What it printed for this event stands in the pipes, and this round of the event loop reads it as this event's. */
  #nextSoon(): void {
    setImmediate(() => {
      if (!this.#request.isAnswered) this.#next();
    });
  }

  /** A stream that failed on its way says so behind its end. */
  #answerOf(body: Uint8Array, isError: boolean): RuntimeAnswer {
    const failure = this.#failureBehind();
    if (failure !== undefined) return failure;
    return isError
      ? { kind: "error", body, errorType: this.#request.header(ERROR_TYPE) }
      : { kind: "response", body };
  }

  #failureBehind(): RuntimeAnswer | undefined {
    const { trailers } = this.#request;
    const errorType = trailers.get(ERROR_TYPE);
    if (errorType === undefined) return undefined;
    const said = trailers.get("lambda-runtime-function-error-body") ?? "";
    return { kind: "error", body: Buffer.from(said, "base64"), errorType };
  }

  #initError(): void {
    const errorType = this.#request.header(ERROR_TYPE);
    readBody(this.#request, RESPONSE_BYTES_MAX, {
      onRead: (body) => {
        const { stateName } = this.#api;
        // Its process is ended on this; first it has its answer.
        if (stateName === "Started") this.#accepted();
        if (this.#api.initError({ body, errorType }) !== "done" && stateName !== "Started")
          this.#notAllowed(stateName, "InitError");
      },
      onTooLarge: () => this.#fault(413, "RequestEntityTooLarge", TOO_LARGE),
      onBroken: () => {},
    });
  }

  #refuse(verdict: Verdict, from: string, to: string): void {
    if (verdict === "wrongId") this.#fault(400, "InvalidRequestID", "Invalid request ID");
    else this.#notAllowed(from, to);
  }

  #notAllowed(from: string, to: string): void {
    const message = `State transition from ${from} to ${to} failed for runtime. Error: State transition is not allowed`;
    this.#fault(403, "InvalidStateTransition", message);
  }

  #fault(status: number, errorType: string, errorMessage: string): void {
    this.#end(status, JSON.stringify({ errorMessage, errorType }));
  }

  #accepted(): void {
    this.#end(202, '{"status":"OK"}');
  }

  #end(status: number, body: string): void {
    this.#request.answer(status, body.startsWith("{") ? JSON_TYPE : TEXT_TYPE, body);
  }
}

const JSON_TYPE = "Content-Type: application/json\r\n";
const TEXT_TYPE = "Content-Type: text/plain\r\n";
const STREAMED: RuntimeAnswer = { kind: "streamed" };
/** The process goes on writing. */
const CUT: RuntimeAnswer = { kind: "streamed" };
const TOO_LARGE = `Exceeded maximum allowed payload size (${RESPONSE_BYTES_MAX} bytes).`;

const UNKNOWN_MODE: RuntimeAnswer = {
  kind: "error",
  body: Buffer.from(
    '{"errorMessage":"Invalid function response mode","errorType":"Runtime.InvalidResponseModeHeader"}',
  ),
  errorType: "Runtime.InvalidResponseModeHeader",
};

/** Only what is not empty (invocation §3.1). */
function headersOf(event: RuntimeEvent): string {
  const { requestId, deadlineMs, functionArn, traceId, clientContext } = event;
  let lines = `${JSON_TYPE}Lambda-Runtime-Aws-Request-Id: ${headerText(requestId)}\r\n`;
  lines += `Lambda-Runtime-Deadline-Ms: ${Math.round(deadlineMs)}\r\n`;
  lines += `Lambda-Runtime-Invoked-Function-Arn: ${headerText(functionArn)}\r\n`;
  if (traceId !== "") lines += `Lambda-Runtime-Trace-Id: ${headerText(traceId)}\r\n`;
  if (clientContext !== undefined) lines += `Lambda-Runtime-Client-Context: ${headerText(clientContext)}\r\n`;
  return lines;
}

const NO_HEADER_TEXT = /[^\t\x20-\x7e]/g;

/** What would end a header early, or is none of its characters. */
function headerText(text: string): string {
  return text.replace(NO_HEADER_TEXT, "?");
}

function decoded(text = ""): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
