import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { RESPONSE_BYTES_MAX } from "../../model/limits.ts";
import type { Verdict } from "./environment-state.ts";
import { answerExtension } from "./extension-routes.ts";
import type {
  AnswerStream,
  HeldNext,
  Listener,
  OpenListener,
  RuntimeAnswer,
  RuntimeApi,
  RuntimeEvent,
} from "./listener.ts";
import { readBody } from "./request-body.ts";
import { streamBody } from "./request-stream.ts";

const HEADER_BYTES_MAX = 16 * 1024;
/** A process that keeps more connections is not well. */
const CONNECTIONS_MAX = 1_700;
const BASE = "/2018-06-01";
const ANSWER = /^\/2018-06-01\/runtime\/invocation\/([^/?]+)\/(response|error)$/;
const ERROR_TYPE = "lambda-runtime-function-error-type";
const RESPONSE_MODE = "lambda-runtime-function-response-mode";

/** An address of 127.0.0.1 for each process, which ends with it. */
export const HTTP_LISTENER: Listener = {
  open(api, onOpen) {
    const server = createServer(
      { keepAliveTimeout: 0, maxHeaderSize: HEADER_BYTES_MAX },
      (request, response) => {
        new RuntimeExchange(api, request, response).answer();
      },
    );
    // Whoever asks for the next event waits for as long as there is none.
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    server.maxConnections = CONNECTIONS_MAX;
    server.once("error", onOpen);
    server.listen({ port: 0, host: "127.0.0.1", exclusive: true }, () => {
      server.off("error", onOpen);
      // A listener that fails later hears no more: its process ends on that.
      server.on("error", () => {});
      onOpen(opened(server));
    });
  },
};

function opened(server: Server): OpenListener {
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** One request of a runtime's client, answered as AWS does (invocation §3.1, §3.2). */
export class RuntimeExchange {
  readonly #api: RuntimeApi;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  /** The event that it answers. */
  #id = "";

  constructor(api: RuntimeApi, request: IncomingMessage, response: ServerResponse) {
    this.#api = api;
    this.#request = request;
    this.#response = response;
  }

  answer(): void {
    const { method, url = "" } = this.#request;
    const path = url.split("?", 1)[0] ?? "";
    const call = `${method} ${path}`;
    const { extensions } = this.#api;
    if (extensions !== undefined && answerExtension(call, extensions, this.#request, this.#response)) return;
    const named = method === "POST" ? ANSWER.exec(path) : null;
    if (named !== null) this.#answerEvent(decoded(named[1]), named[2] === "error");
    else if (call === `GET ${BASE}/runtime/invocation/next`) this.#next();
    else if (call === `POST ${BASE}/runtime/init/error`) this.#initError();
    else if (call === `GET ${BASE}/runtime/restore/next`) this.#end(200, "");
    else if (call === `POST ${BASE}/runtime/restore/error`) this.#accepted();
    else if (call === `GET ${BASE}/ping`) this.#end(200, "pong");
    else this.#end(404, "404 page not found");
  }

  #next(): void {
    const response = this.#response;
    let isDelivered = false;
    const held: HeldNext = {
      deliver: (event) => {
        isDelivered = true;
        response.writeHead(200, headersOf(event));
        response.end(event.payload);
      },
    };
    response.once("close", () => {
      if (!isDelivered) this.#api.hungUp(held);
    });
    const { stateName } = this.#api;
    if (this.#api.next(held) === "done") return;
    isDelivered = true;
    this.#notAllowed(stateName, "Ready");
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
    const mode = this.#request.headers[RESPONSE_MODE];
    const isUnknownMode = mode !== undefined && mode !== "streaming";
    if (mode === "streaming" && !isError) {
      const stream = this.#api.openStream(id, this.#request.headers["content-type"]);
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
      else this.#accepted();
    });
  }

  /** A stream that failed on its way says so behind its end. */
  #answerOf(body: Uint8Array, isError: boolean): RuntimeAnswer {
    const failure = this.#failureBehind();
    if (failure !== undefined) return failure;
    return isError
      ? { kind: "error", body, errorType: textOf(this.#request.headers[ERROR_TYPE]) }
      : { kind: "response", body };
  }

  #failureBehind(): RuntimeAnswer | undefined {
    const { trailers } = this.#request;
    const errorType = trailers[ERROR_TYPE];
    if (errorType === undefined) return undefined;
    const said = trailers["lambda-runtime-function-error-body"] ?? "";
    return { kind: "error", body: Buffer.from(said, "base64"), errorType };
  }

  #initError(): void {
    const errorType = textOf(this.#request.headers[ERROR_TYPE]);
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
    // What nobody has read would be taken for the next request.
    this.#request.resume();
    const type = body.startsWith("{") ? "application/json" : "text/plain";
    this.#response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) });
    this.#response.end(body);
  }
}

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
function headersOf(event: RuntimeEvent): Record<string, string | number> {
  const { requestId, deadlineMs, functionArn, traceId, clientContext, payload } = event;
  return {
    "Content-Type": "application/json",
    "Content-Length": payload.length,
    "Lambda-Runtime-Aws-Request-Id": requestId,
    "Lambda-Runtime-Deadline-Ms": Math.round(deadlineMs),
    "Lambda-Runtime-Invoked-Function-Arn": functionArn,
    ...(traceId === "" ? {} : { "Lambda-Runtime-Trace-Id": traceId }),
    ...(clientContext === undefined ? {} : { "Lambda-Runtime-Client-Context": clientContext }),
  };
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? header : header?.[0];
}

function decoded(text = ""): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
