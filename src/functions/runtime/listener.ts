import type { Verdict } from "./environment-state.ts";
import type { ExtensionFault, ExtensionSet, HeldExtension } from "./extension-set.ts";
import type { TelemetryAnswer, TelemetryApi } from "./telemetry-subscription.ts";

/** What gives environments an address of their own: by the address alone a process is known. */
export interface Listener {
  /** `onOpen` is called once, with the address or with why there is none; before or after this returns. */
  open(api: RuntimeApi, onOpen: (opened: OpenListener | Error) => void): void;
}

export interface OpenListener {
  /** `HOST:PORT`. */
  readonly address: string;
  /** Takes no more calls, and hangs up on all that are open. Idempotent. */
  close(): void;
}

/** The Runtime API of one process (invocation §3.1), without its wire. */
export interface RuntimeApi {
  /** A process asks for the next event. `held` gets it, then or later, if the verdict is `done`. */
  next(held: HeldNext): Verdict;
  /** Whoever asked has hung up before there was an event. */
  hungUp(held: HeldNext): void;
  /** An answer begins to an event: may it? */
  beginAnswer(id: string): Verdict;
  /** It is there; `reply` is called once, when what the process printed before it is read. */
  endAnswer(id: string, answer: RuntimeAnswer, reply: (verdict: Verdict) => void): void;
  /**
   * The answer that has begun is a stream; `undefined`: whoever called wants it whole, so that it is collected.
   * `contentType`: as the process says it, untrusted.
   */
  openStream(id: string, contentType: string | undefined): AnswerStream | undefined;
  /** It broke off. */
  breakAnswer(id: string): void;
  initError(report: RuntimeReport): Verdict;
  /** `undefined`: extensions are not served. */
  readonly extensions: ExtensionsApi | undefined;
  /** As AWS's errors name it. */
  readonly stateName: string;
}

/** What extensions may do (invocation §5), without its wire. */
export interface ExtensionsApi {
  register: ExtensionSet["register"];
  next: ExtensionSet["next"];
  hungUp(held: HeldExtension): void;
  /** It wants to be told what becomes of its environment. */
  subscribe(id: string | undefined, api: TelemetryApi, body: Uint8Array): TelemetryAnswer | ExtensionFault;
  /** It has failed, and so has its environment; `accepted` is called before that. */
  fail(
    id: string | undefined,
    errorType: string,
    said: string,
    accepted: () => void,
  ): ExtensionFault | undefined;
}

export interface HeldNext {
  deliver(event: RuntimeEvent): void;
}

export interface RuntimeEvent {
  readonly requestId: string;
  readonly functionArn: string;
  /** Epoch milliseconds. */
  readonly deadlineMs: number;
  readonly traceId: string;
  /** JSON. */
  readonly clientContext: string | undefined;
  readonly payload: Uint8Array;
}

/** Takes a response while it is written. */
export interface AnswerStream {
  /** It takes no more. */
  readonly isFull: boolean;
  /** Until the promise resolves nothing more is read. */
  write(chunk: Uint8Array): Promise<void> | undefined;
}

export type RuntimeAnswer =
  | { readonly kind: "response"; readonly body: Uint8Array }
  /** All of it has gone to the stream. */
  | { readonly kind: "streamed" }
  | ({ readonly kind: "error" } & RuntimeReport)
  /** It has more bytes than an answer may have. */
  | { readonly kind: "tooLarge" };

/** What a runtime says of a failure. */
export interface RuntimeReport {
  readonly body: Uint8Array;
  /** Its header, untrusted. */
  readonly errorType: string | undefined;
}
