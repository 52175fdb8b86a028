import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { RunDetail } from "../model/function-error.ts";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { InvocationContext } from "../ports/function-target.ts";
import { functionError, responseTooLarge, withDetail } from "./function-failure.ts";
import { heapLimitMb, type WatchedHeap } from "./memory-watch.ts";
import { describeThrown } from "./module-failure.ts";
import type {
  EngineMessage,
  RuntimeDescription,
  RuntimeFailure,
  RuntimeMessage,
  WorkerStart,
} from "./module-messages.ts";
import { OutputLines } from "./output-lines.ts";
import { OutputTail } from "./output-tail.ts";
import type { StreamedAnswer } from "./streamed-answer.ts";
import { traceHeaders } from "./trace.ts";

/** In the build the worker's file is JavaScript; `new URL` is not rewritten by the compiler as imports are. */
const WORKER_URL = new URL(
  import.meta.url.endsWith(".ts") ? "./module-worker.ts" : "./module-worker.js",
  import.meta.url,
);

/** `requestId`: of the call that it was printed in; of none before the first. */
export type LogLine = (line: string, stream: "stdout" | "stderr", requestId?: string) => void;

export interface RuntimeListener {
  /** It reads this file, in a runtime that tells its imports. */
  onImport?(path: string): void;
  /** The module is loaded. */
  onReady?(runtime: ModuleRuntime): void;
  /** The invocation that `run` started has ended; the runtime can run another. */
  onAnswer(runtime: ModuleRuntime, outcome: InvocationOutcome): void;
  /** The runtime can run nothing more; if it was running an invocation, this is its outcome. Called once. */
  onBroken(runtime: ModuleRuntime, outcome: InvocationOutcome): void;
  /** The thread is gone. Called once, after `onBroken`. */
  onGone(runtime: ModuleRuntime): void;
}

/** One worker thread: Lambda's execution environment, with one invocation at a time. */
export class ModuleRuntime implements WatchedHeap {
  /** When it became idle, on the pool's monotonic scale. */
  idleSinceMs = 0;
  readonly #listener: RuntimeListener;
  readonly #worker: Worker;
  /** User code has no way to it, unlike to the worker's own: it could post without measure, or answer in its place. */
  readonly #port: MessagePort;
  readonly #stdout: OutputLines;
  readonly #stderr: OutputLines;
  #ordinal = 0;
  #requestId: string | undefined;
  #isRunning = false;
  #logs: InvocationContext["logs"];
  /** Whoever called takes the response while it is written. */
  #stream: StreamedAnswer | undefined;
  readonly #output = new OutputTail();
  #isBroken = false;

  constructor(
    description: RuntimeDescription,
    env: Readonly<Record<string, string>>,
    onLog: LogLine,
    listener: RuntimeListener,
  ) {
    this.#listener = listener;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const start: WorkerStart = { ...description, port: port2 };
    this.#worker = new Worker(WORKER_URL, {
      workerData: start,
      transferList: [port2],
      env: { ...env },
      // Not read: what the module prints comes as messages. Without these it would go to this process's output.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMb(description.memoryMb) },
    });
    this.#stdout = new OutputLines((line) => onLog(line, "stdout", this.#requestId));
    this.#stderr = new OutputLines((line) => onLog(line, "stderr", this.#requestId));
    this.#port.on("message", (message: unknown) => this.#onMessage(message));
    this.#port.on("messageerror", () => this.#break(functionError("Runtime.MarshalError", UNREADABLE)));
    this.#worker.on("error", (error: unknown) => this.#break(this.#outcomeOfCrash(error)));
    this.#worker.on("exit", (code) => {
      this.#takeLastWords();
      this.#break(
        functionError(
          "Runtime.ExitError",
          `The function's runtime ended with exit status ${code}.`,
          this.#detail(undefined),
        ),
      );
      this.flushOutput();
      this.#listener.onGone(this);
    });
  }

  /** The runtime must be idle, or new: then the invocation begins when the module is loaded. */
  run(payload: Uint8Array, context: InvocationContext, stream?: StreamedAnswer): void {
    this.#isRunning = true;
    this.#stream = stream;
    this.#logs = context.logs;
    this.#requestId = context.requestId;
    // What a module prints while it is loaded is of its first invocation.
    if (this.#ordinal > 0) this.#output.clear();
    this.#ordinal += 1;
    this.#ref();
    // A copy of its own, which can be handed over without being copied again: the caller keeps its payload for retries.
    const copy = new Uint8Array(payload);
    const message: EngineMessage = {
      kind: "event",
      ordinal: this.#ordinal,
      payload: copy,
      requestId: context.requestId,
      functionArn: context.functionArn,
      deadlineMs: context.deadlineMs,
      traceId: traceHeaders(context).xray,
      clientContext: context.clientContext,
      isStreamed: stream !== undefined,
    };
    this.#port.postMessage(message, [copy.buffer]);
  }

  /** An idle runtime does not keep the process alive. */
  unref(): void {
    this.#worker.unref();
    this.#port.unref();
  }

  async usedHeapBytes(): Promise<number> {
    return (await this.#worker.getHeapStatistics()).used_heap_size;
  }

  onHeapExceeded(): void {
    this.#break(this.#outOfMemory());
  }

  /** The end of what the invocation that runs has printed. */
  get logTail(): string {
    return this.#output.text;
  }

  /** Ends the thread whatever it does. No answer comes any more. */
  async terminate(): Promise<void> {
    this.#isBroken = true;
    this.#ref();
    await this.#worker.terminate();
  }

  #ref(): void {
    this.#worker.ref();
    this.#port.ref();
  }

  /** A thread may be gone before what it has sent is taken. */
  #takeLastWords(): void {
    for (
      let last = receiveMessageOnPort(this.#port);
      last !== undefined;
      last = receiveMessageOnPort(this.#port)
    ) {
      this.#onMessage(last.message);
    }
    this.#port.close();
  }

  #onMessage(value: unknown): void {
    if (!isRuntimeMessage(value)) return;
    if (value.kind === "printed") {
      this.#output.add(value.text);
      (value.stream === "stdout" ? this.#stdout : this.#stderr).add(value.text);
      return;
    }
    if (value.kind === "imported") {
      this.#listener.onImport?.(value.path);
      return;
    }
    if (this.#isBroken) return;
    switch (value.kind) {
      case "ready":
        this.#listener.onReady?.(this);
        return;
      case "initFailed":
        this.#break(this.#failed(value.failure));
        return;
      case "opened":
        if (this.#isOfEvent(value) && this.#stream?.isOpen === false) this.#stream.open(value.contentType);
        return;
      case "wrote":
        if (this.#isOfEvent(value)) this.#pour(value.chunk);
        return;
      case "returned":
        this.#answer(value.ordinal, this.#returned(value.payload));
        return;
      case "failed":
        this.#answer(value.ordinal, this.#failed(value.failure));
        return;
    }
  }

  /** The thread itself refuses what is too large; its function may answer in its place. */
  #returned(payload: Uint8Array): InvocationOutcome {
    if (payload.length > RESPONSE_BYTES_MAX) return responseTooLarge();
    const detail = this.#logs === "tail" ? withDetail(this.#detail(undefined)) : undefined;
    return { kind: "succeeded", payload, ...detail };
  }

  #failed({ errorType, message, stack }: RuntimeFailure): InvocationOutcome {
    return functionError(errorType, message, this.#detail(stack));
  }

  #detail(stack: string | undefined): RunDetail {
    const { text } = this.#output;
    return {
      ...(stack === undefined ? {} : { stack, stackMember: "trace" }),
      ...(text === "" ? {} : { logTail: text }),
    };
  }

  #outOfMemory(): InvocationOutcome {
    const message = "The function's runtime ran out of memory.";
    return functionError("Runtime.OutOfMemory", message, this.#detail(undefined));
  }

  #outcomeOfCrash(error: unknown): InvocationOutcome {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ERR_WORKER_OUT_OF_MEMORY") return this.#outOfMemory();
    const { errorType, message, stack } = describeThrown(error);
    const said = `The function's runtime ended by an error that nobody caught: ${message}`;
    return functionError(errorType, said, this.#detail(stack));
  }

  /** A response that is longer than any is cut, as on Lambda, and none the worse: who writes it is ended. */
  #pour(chunk: Uint8Array): void {
    const stream = this.#stream;
    if (stream?.isOpen !== true) return;
    const ordinal = this.#ordinal;
    const goOn = () => this.#port.postMessage({ kind: "taken", ordinal } satisfies EngineMessage);
    const taken = stream.write(chunk);
    if (stream.isFull) this.#break({ kind: "succeeded", payload: new Uint8Array(0) });
    else if (taken === undefined) goOn();
    else void taken.then(goOn);
  }

  #isOfEvent({ ordinal }: { readonly ordinal: number }): boolean {
    return this.#isRunning && ordinal === this.#ordinal;
  }

  #answer(ordinal: number, outcome: InvocationOutcome): void {
    if (!this.#isOfEvent({ ordinal })) return;
    this.#isRunning = false;
    this.flushOutput();
    this.#listener.onAnswer(this, outcome);
  }

  /** What has no end of a line yet is one. */
  flushOutput(): void {
    this.#stdout.flush();
    this.#stderr.flush();
  }

  #break(outcome: InvocationOutcome): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#listener.onBroken(this, outcome);
  }
}

const UNREADABLE = "The function's runtime sent something that cannot be read.";

/** User code shares the thread: what comes from there is looked at before it is believed. */
function isRuntimeMessage(value: unknown): value is RuntimeMessage {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  if (value.kind === "ready") return true;
  if (value.kind === "printed") {
    return "stream" in value && "text" in value && typeof value.text === "string";
  }
  if (value.kind === "imported") return "path" in value && typeof value.path === "string";
  if (value.kind === "initFailed") return "failure" in value && isFailure(value.failure);
  if (!("ordinal" in value) || typeof value.ordinal !== "number") return false;
  if (value.kind === "opened") return "contentType" in value && typeof value.contentType === "string";
  if (value.kind === "wrote") return "chunk" in value && value.chunk instanceof Uint8Array;
  if (value.kind === "returned") return "payload" in value && value.payload instanceof Uint8Array;
  return value.kind === "failed" && "failure" in value && isFailure(value.failure);
}

function isFailure(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "errorType" in value &&
    typeof value.errorType === "string" &&
    "message" in value &&
    typeof value.message === "string" &&
    (!("stack" in value) || typeof value.stack === "string")
  );
}
