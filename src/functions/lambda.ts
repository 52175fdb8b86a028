import {
  InvokeCommand,
  type InvokeCommandInput,
  type InvokeCommandOutput,
  InvokeWithResponseStreamCommand,
  type InvokeWithResponseStreamCommandInput,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { createAwsClient } from "../aws/client.ts";
import { createHttpHandler } from "../aws/http-handler.ts";
import { withVersion } from "../model/executed-version.ts";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { Clock } from "../ports/clock.ts";
import type { FunctionTarget, InvocationContext } from "../ports/function-target.ts";
import type { ResponseSink } from "../ports/response-sink.ts";
import { CallWatch, type WatchedCall } from "./call-watch.ts";
import {
  abandoned,
  functionError,
  parseErrorBody,
  responseTooLarge,
  withDetail,
} from "./function-failure.ts";
import { isUnknownOperation, outcomeOfInvokeError } from "./lambda-failure.ts";
import { outcomeOfStream } from "./lambda-stream.ts";
import { boundResponse, isForeign, isOversized } from "./response-bound.ts";
import { StreamedAnswer } from "./streamed-answer.ts";
import { SYSTEM_CLOCK } from "./system-clock.ts";
import { traceHeaders } from "./trace.ts";

export interface LambdaFunctionOptions {
  /** Name or ARN, with a version or alias behind a colon if wanted. */
  readonly functionName: string;
  /** Default: the SDK's own rules (`AWS_REGION`, profile). */
  readonly region: string | undefined;
  /**
   * `http:` or `https:` URL of a compatible service, such as the Runtime Interface Emulator. Default: the SDK's own
   * rules.
   */
  readonly endpoint: string | undefined;
  /** Connections at once; set it to the function's concurrency. */
  readonly connections: number;
  readonly clock?: Clock;
}

/**
 * A function of AWS Lambda, or of what speaks its Invoke API. Synchronous invocation (`RequestResponse`), by
 * InvokeWithResponseStream where whoever calls takes a stream and the service knows it; credentials by the SDK's own
 * rules. Needs `lambda:InvokeFunction`.
 */
export function createLambdaFunction(options: LambdaFunctionOptions): FunctionTarget {
  return new LambdaFunction(options);
}

class LambdaFunction implements FunctionTarget {
  readonly #functionName: string;
  readonly #client: LambdaClient;
  readonly #clock: Clock;
  readonly #watch: CallWatch;
  #isClosed = false;
  /** A service that speaks Invoke need not know of streams. */
  #knowsStreams = true;

  constructor({ functionName, region, endpoint, connections, clock = SYSTEM_CLOCK }: LambdaFunctionOptions) {
    this.#functionName = functionName;
    this.#clock = clock;
    this.#watch = new CallWatch(clock);
    const requestHandler = boundResponse(createHttpHandler(connections));
    this.#client = createAwsClient(
      { region, endpoint },
      (settings) => new LambdaClient({ ...settings, requestHandler }),
    );
  }

  invoke(
    payload: Uint8Array,
    context: InvocationContext,
    signal: AbortSignal,
    sink?: ResponseSink,
  ): Promise<InvocationOutcome> {
    if (signal.aborted || this.#isClosed) return Promise.resolve(abandoned());
    return new Promise((resolve) => {
      const stream = sink && new StreamedAnswer(sink, this.#clock, "$LATEST");
      const call = new LambdaCall(this.#clock.monotonic() + context.timeoutMs, signal, (outcome) => {
        this.#watch.remove(call);
        resolve(stream?.ended(outcome) ?? outcome);
      });
      this.#watch.add(call);
      void this.#run(call, payload, context, stream);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch.close();
    this.#client.destroy();
  }

  async #run(
    call: LambdaCall,
    payload: Uint8Array,
    context: InvocationContext,
    stream: StreamedAnswer | undefined,
  ): Promise<void> {
    const input = {
      FunctionName: this.#functionName,
      InvocationType: "RequestResponse" as const,
      Payload: payload,
      // What it prints comes with a failure's second attempt: most have none.
      ...(context.logs === "tail" ? { LogType: "Tail" as const } : {}),
      ...(context.clientContext === undefined ? {} : { ClientContext: context.clientContext }),
    };
    try {
      const streamed = stream && (await this.#stream(call, input, context, stream));
      call.settle(streamed ?? (await this.#invoke(call, input, context)));
    } catch (error) {
      call.settle(this.#outcomeOfFault(error));
    }
  }

  #outcomeOfFault(error: unknown): InvocationOutcome {
    if (isOversized(error)) return responseTooLarge();
    if (isForeign(error)) return FOREIGN;
    return outcomeOfInvokeError(error, this.#functionName, this.#clock.now());
  }

  async #invoke(
    { abortSignal }: LambdaCall,
    input: InvokeCommandInput,
    context: InvocationContext,
  ): Promise<InvocationOutcome> {
    const command = new InvokeCommand(input);
    command.middlewareStack.add(tracing(context), TRACING);
    return outcomeOfAnswer(await this.#client.send(command, { abortSignal }));
  }

  /** `undefined`: nothing has run, since the service knows no streams. */
  async #stream(
    call: LambdaCall,
    input: InvokeWithResponseStreamCommandInput,
    context: InvocationContext,
    stream: StreamedAnswer,
  ): Promise<InvocationOutcome | undefined> {
    if (!this.#knowsStreams) return undefined;
    const command = new InvokeWithResponseStreamCommand(input);
    command.middlewareStack.add(tracing(context), TRACING);
    try {
      const answer = await this.#client.send(command, { abortSignal: call.abortSignal });
      const outcome = await outcomeOfStream(answer, stream);
      const { ExecutedVersion: version = "$LATEST" } = answer;
      if (stream.isFull) call.abort();
      return version === "$LATEST" ? outcome : withVersion(outcome, version);
    } catch (error) {
      if (!isUnknownOperation(error)) throw error;
      this.#knowsStreams = false;
      return undefined;
    }
  }
}

const TRACING = { step: "build", name: "traceOfInvocation" } as const;

/** Gives the request the header of the invocation's trace. */
function tracing(context: InvocationContext) {
  return <Given extends { readonly request: unknown }, Answer>(next: (given: Given) => Answer) =>
    (given: Given): Answer => {
      const { request } = given;
      if (typeof request === "object" && request !== null && "headers" in request) {
        Object.assign(request.headers as object, { "x-amzn-trace-id": traceHeaders(context).xray });
      }
      return next(given);
    };
}

function outcomeOfAnswer(answer: InvokeCommandOutput): InvocationOutcome {
  const { ExecutedVersion: executedVersion = "$LATEST" } = answer;
  // plant: a-web-page-is-taken-for-what-a-function-returned
  if (answer.ExecutedVersion === undefined && isMarkup(answer.Payload ?? EMPTY)) return FOREIGN;
  const outcome = outcomeOfRun(answer);
  return executedVersion === "$LATEST" ? outcome : withVersion(outcome, executedVersion);
}

function outcomeOfRun({ FunctionError, Payload, LogResult }: InvokeCommandOutput): InvocationOutcome {
  const payload = Payload ?? EMPTY;
  const log = LogResult === undefined ? {} : { logTail: Buffer.from(LogResult, "base64").toString() };
  if (FunctionError === undefined) {
    if (payload.length > RESPONSE_BYTES_MAX) return responseTooLarge();
    return { kind: "succeeded", payload, ...withDetail(log) };
  }
  const said = parseErrorBody(payload);
  return functionError(
    said.errorType ?? FunctionError,
    said.errorMessage ?? "The function gave no error message.",
    { ...said.detail, ...log },
  );
}

const EMPTY = new Uint8Array(0);
const MARKUP = 0x3c;
const SPACE_MAX = 0x20;
const FOREIGN: InvocationOutcome = {
  kind: "unavailable",
  message:
    "lambda:Invoke was answered with a web page that names no executed version: no function has run. " +
    "Look what answers at the function's endpoint, or at a proxy on the way to it.",
};

/** No function returns it, and Lambda names the version that ran: a page that asks for a login, or says an error. */
function isMarkup(payload: Uint8Array): boolean {
  return payload.find((byte) => byte > SPACE_MAX) === MARKUP;
}

class LambdaCall implements WatchedCall {
  watchIndex = -1;
  readonly expiresAt: number;
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #onSettled: (outcome: InvocationOutcome) => void;
  #isSettled = false;

  constructor(expiresAt: number, signal: AbortSignal, onSettled: (outcome: InvocationOutcome) => void) {
    this.expiresAt = expiresAt;
    this.signal = signal;
    this.#onSettled = onSettled;
  }

  /** Ends the request itself. */
  get abortSignal(): AbortSignal {
    return this.#abort.signal;
  }

  onExpired(): void {
    this.settle({ kind: "timedOut" });
    this.#abort.abort();
  }

  onAbandoned(): void {
    this.settle(abandoned());
    this.#abort.abort();
  }

  /** Ends the request, whose answer goes on. */
  abort(): void {
    this.#abort.abort();
  }

  settle(outcome: InvocationOutcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#onSettled(outcome);
  }
}
