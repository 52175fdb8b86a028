import { types } from "node:util";
import { readClientContext } from "../model/client-context.ts";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";
import { RESPONSE_TOO_LARGE } from "./function-failure.ts";
import { describeThrown } from "./module-failure.ts";
import type { Handler } from "./module-handler.ts";
import type {
  InvocationMessage,
  RuntimeDescription,
  RuntimeFailure,
  RuntimeMessage,
} from "./module-messages.ts";
import {
  isStreaming,
  type ResponseOutlet,
  StreamedResponse,
  type StreamingHandler,
} from "./streaming-handler.ts";

/** One run of a handler inside its worker: Lambda's rules of when a handler is done and with what. */
export class ModuleInvocation {
  readonly #message: InvocationMessage;
  readonly #answer: (message: RuntimeMessage) => void;
  readonly #outlet: ResponseOutlet | undefined;
  #isAnswered = false;
  /** Result of a callback that waits for the event loop to become empty. */
  #deferred: { readonly result: unknown } | undefined;
  #isPromise = false;
  #context: LambdaContext | undefined;
  /** What a streaming handler writes into. */
  #stream: StreamedResponse | undefined;

  /** `outlet`: what is streamed goes there, and is no part of the answer. */
  constructor(
    message: InvocationMessage,
    answer: (message: RuntimeMessage) => void,
    outlet?: ResponseOutlet,
  ) {
    this.#message = message;
    this.#outlet = outlet;
    this.#answer = answer;
  }

  start(handler: Handler, runtime: RuntimeDescription): void {
    try {
      const event: unknown = JSON.parse(textOf(this.#message.payload));
      this.#context = this.#createContext(runtime);
      if (isStreaming(handler)) {
        // What `awslambda.streamifyResponse` was given is called so.
        this.#startStream(handler as unknown as StreamingHandler, event, this.#context);
        return;
      }
      const returned = handler(event, this.#context, (error, result) => this.#called(error, result));
      if (types.isPromise(returned) || isThenable(returned)) {
        this.#isPromise = true;
        returned.then(
          (result) => this.#succeed(result),
          (error) => this.#fail(describeThrown(error)),
        );
      } else if (returned !== undefined) {
        // Lambda ignores it; but no handler means anything else by returning a value.
        this.#succeed(returned);
      }
    } catch (error) {
      this.#fail(describeThrown(error));
    }
  }

  /** Done when it has returned and its stream has ended; a value that it returns is ignored. */
  #startStream(handler: StreamingHandler, event: unknown, context: LambdaContext): void {
    const stream = new StreamedResponse(this.#outlet);
    this.#stream = stream;
    const ended = new Promise<void>((resolve, reject) =>
      stream.once("finish", resolve).once("error", reject),
    );
    const returned = Promise.resolve(handler(event, stream, context));
    Promise.all([ended, returned]).then(
      () => this.#return(stream.body),
      (error) => this.#fail(stream.isTooLarge ? RESPONSE_TOO_LARGE : describeThrown(error)),
    );
  }

  /** Nothing is left that could ever answer. */
  onLoopEmpty(): void {
    if (this.#stream !== undefined) this.#fail(NEVER_ENDED);
    else if (this.#deferred !== undefined) this.#succeed(this.#deferred.result);
    else if (this.#isPromise) this.#fail(NEVER_SETTLED);
    else this.#succeed(null);
  }

  #called(error: unknown, result: unknown): void {
    if (this.#isAnswered || this.#deferred !== undefined) return;
    if (error !== undefined && error !== null) this.#fail(describeThrown(error));
    else if (this.#context?.callbackWaitsForEmptyEventLoop === false) this.#succeed(result);
    else this.#deferred = { result };
  }

  #succeed(result: unknown): void {
    if (this.#isAnswered) return;
    let text: string | undefined;
    try {
      text = JSON.stringify(result) ?? "null";
    } catch (error) {
      const message = `The function's result is not JSON: ${describeThrown(error).message}`;
      this.#fail({ errorType: "Runtime.MarshalError", message });
      return;
    }
    if (Buffer.byteLength(text) > RESPONSE_BYTES_MAX) {
      this.#fail(RESPONSE_TOO_LARGE);
      return;
    }
    this.#return(new TextEncoder().encode(text));
  }

  #return(payload: Uint8Array): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#answer({ kind: "returned", ordinal: this.#message.ordinal, payload });
  }

  #fail(failure: RuntimeFailure): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#answer({ kind: "failed", ordinal: this.#message.ordinal, failure });
  }

  #createContext(runtime: RuntimeDescription): LambdaContext {
    const { requestId, functionArn, deadlineMs, clientContext } = this.#message;
    const done = (error?: unknown, result?: unknown): void => {
      context.callbackWaitsForEmptyEventLoop = false;
      this.#called(error, result);
    };
    const context: LambdaContext = {
      callbackWaitsForEmptyEventLoop: true,
      functionName: runtime.functionName,
      functionVersion: runtime.functionVersion ?? "$LATEST",
      invokedFunctionArn: functionArn,
      memoryLimitInMB: String(runtime.memoryMb),
      awsRequestId: requestId,
      logGroupName: runtime.logGroupName,
      logStreamName: runtime.logStreamName,
      clientContext: clientContext === undefined ? undefined : readClientContext(clientContext),
      getRemainingTimeInMillis: () => deadlineMs - Date.now(),
      done,
      succeed: (result) => done(null, result),
      fail: (error) => done(error ?? "handled"),
    };
    return context;
  }
}

/** The context object of Lambda's Node runtime. */
interface LambdaContext {
  callbackWaitsForEmptyEventLoop: boolean;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly awsRequestId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  readonly clientContext: object | undefined;
  getRemainingTimeInMillis(): number;
  done(error?: unknown, result?: unknown): void;
  succeed(result?: unknown): void;
  fail(error?: unknown): void;
}

function textOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString();
}

const NEVER_SETTLED: RuntimeFailure = {
  errorType: "Runtime.NodeJsExit",
  message: "The handler's promise can never settle: nothing is left to wait for.",
};

const NEVER_ENDED: RuntimeFailure = {
  errorType: "Runtime.NodeJsExit",
  message:
    "The handler's response stream can never end: nothing is left to wait for, and end() was not called.",
};

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
