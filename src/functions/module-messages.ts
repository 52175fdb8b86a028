import type { MessagePort } from "node:worker_threads";

/** What the engine's thread and a module function's worker thread say to each other. */

/** `workerData` of a worker, which takes the port out of it before user code is loaded. */
export interface WorkerStart extends RuntimeDescription {
  readonly port: MessagePort;
}

/** What Lambda's runtime knows before the first invocation. */
export interface RuntimeDescription {
  readonly path: string;
  readonly exportName: string;
  readonly functionName: string;
  /** Default: `$LATEST`. */
  readonly functionVersion?: string;
  readonly memoryMb: number;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** The thread says which files it imports. */
  readonly tellsImports?: boolean;
}

/** What the engine's thread says: of an event, or that there is room for more of what is written of its response. */
export type EngineMessage =
  | ({ readonly kind: "event" } & InvocationMessage)
  | { readonly kind: "taken"; readonly ordinal: number };

export interface InvocationMessage {
  /**
   * Ordinal of the invocation in its worker; the answer repeats it, so that a late answer is not taken for another's.
   */
  readonly ordinal: number;
  readonly payload: Uint8Array;
  readonly requestId: string;
  readonly functionArn: string;
  readonly deadlineMs: number;
  readonly traceId: string;
  /** Base64 of JSON. */
  readonly clientContext: string | undefined;
  /** Whoever called takes the response while it is written. */
  readonly isStreamed?: boolean;
}

export type RuntimeMessage =
  | { readonly kind: "printed"; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly kind: "imported"; readonly path: string }
  | { readonly kind: "ready" }
  /** The response begins, and goes on: each piece is answered by `taken`, before the next is sent. */
  | { readonly kind: "opened"; readonly ordinal: number; readonly contentType: string }
  | { readonly kind: "wrote"; readonly ordinal: number; readonly chunk: Uint8Array }
  /** The module could not be loaded or exports no such function. */
  | { readonly kind: "initFailed"; readonly failure: RuntimeFailure }
  | { readonly kind: "returned"; readonly ordinal: number; readonly payload: Uint8Array }
  | { readonly kind: "failed"; readonly ordinal: number; readonly failure: RuntimeFailure };

export interface RuntimeFailure {
  readonly errorType: string;
  readonly message: string;
  readonly stack?: string;
}
