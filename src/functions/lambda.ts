import { InvokeCommand, type InvokeCommandOutput, LambdaClient } from "@aws-sdk/client-lambda";
import { createAwsClient } from "../aws/client.ts";
import { createHttpHandler } from "../aws/http-handler.ts";
import { withVersion } from "../model/executed-version.ts";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { Clock } from "../ports/clock.ts";
import type { FunctionTarget, InvocationContext } from "../ports/function-target.ts";
import { CallWatch, type WatchedCall } from "./call-watch.ts";
import {
  abandoned,
  functionError,
  parseErrorBody,
  responseTooLarge,
  withDetail,
} from "./function-failure.ts";
import { outcomeOfInvokeError } from "./lambda-failure.ts";
import { boundResponse, isOversized } from "./response-bound.ts";
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
 * A function of AWS Lambda, or of what speaks its Invoke API. Synchronous invocation (`RequestResponse`); credentials
 * by the SDK's own rules. Needs `lambda:InvokeFunction`.
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

  invoke(payload: Uint8Array, context: InvocationContext, signal: AbortSignal): Promise<InvocationOutcome> {
    if (signal.aborted || this.#isClosed) return Promise.resolve(abandoned());
    return new Promise((resolve) => {
      const call = new LambdaCall(this.#clock.monotonic() + context.timeoutMs, signal, (outcome) => {
        this.#watch.remove(call);
        resolve(outcome);
      });
      this.#watch.add(call);
      void this.#send(call, payload, context);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch.close();
    this.#client.destroy();
  }

  async #send(call: LambdaCall, payload: Uint8Array, context: InvocationContext): Promise<void> {
    const command = new InvokeCommand({
      FunctionName: this.#functionName,
      InvocationType: "RequestResponse",
      Payload: payload,
      // What it prints comes with a failure's second attempt: most have none.
      ...(context.logs === "tail" ? { LogType: "Tail" } : {}),
      ...(context.clientContext === undefined ? {} : { ClientContext: context.clientContext }),
    });
    command.middlewareStack.add(
      (next) => (args) => {
        const { request } = args;
        if (typeof request === "object" && request !== null && "headers" in request) {
          Object.assign(request.headers as object, { "x-amzn-trace-id": traceHeaders(context).xray });
        }
        return next(args);
      },
      { step: "build", name: "traceOfInvocation" },
    );
    try {
      call.settle(outcomeOfAnswer(await this.#client.send(command, { abortSignal: call.abortSignal })));
    } catch (error) {
      call.settle(
        isOversized(error)
          ? responseTooLarge()
          : outcomeOfInvokeError(error, this.#functionName, this.#clock.now()),
      );
    }
  }
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

  settle(outcome: InvocationOutcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#onSettled(outcome);
  }
}
