import type { ItemError } from "../model/redrive.ts";
import type { Invocation, InvocationResult, Invoker } from "../ports/invoker.ts";
import type { ItemEnd } from "../ports/parking-store.ts";
import type { Pace } from "./pace.ts";
import type { RedriveContext } from "./redrive-context.ts";
import type { RedriveNotes } from "./redrive-reasons.ts";
import { untilItWorks } from "./retries.ts";

export interface DrainDoorOptions {
  readonly context: RedriveContext;
  readonly invoker: Invoker;
  readonly redriveId: string;
  readonly pace: Pace;
  readonly isAtMostOnce: boolean;
  readonly notes: RedriveNotes;
  /** So many have come to an end that is durable. */
  onEnded(items: number): void;
  /** Items of a request that is made. */
  seqsOf(requestId: string): readonly number[];
}

/** Stands for the attempt that an item is ended in which no invocation can hold. */
const UNTRIED = -1;
const NOT_STARTED: InvocationResult = { kind: "notStarted" };
/** Errors of which the function has not told: it may have done its work. */
const UNTOLD_TYPES: readonly string[] = ["Function.ConnectionLost", "Millrace.TargetDefect"];

/**
 * The door to a function as one queue of a redrive has it: in front of the one door it keeps the pace, and says what is
 * about to start before it does; so a crash leaves behind what may have started, and nothing else.
 */
export class DrainDoor implements Invoker {
  readonly #options: DrainDoorOptions;
  /** Started in the store, by this run, and not ended yet: its last attempt, and whether its end was told. */
  readonly #open = new Map<number, { readonly attempt: number; readonly isTold: boolean }>();
  readonly #ends: ItemEnd[] = [];
  /** Nothing more of this queue is to start. */
  isShut = false;

  constructor(options: DrainDoorOptions) {
    this.#options = options;
  }

  async invoke({ batch, ...call }: Invocation): Promise<InvocationResult> {
    const { context, invoker, pace, seqsOf, notes } = this.#options;
    const seqs = seqsOf(call.requestId);
    notes.does("pacing");
    if (!(await pace.draw(seqs.length, context.stopSignal))) return NOT_STARTED;
    const attempt = context.nextAttempt();
    notes.does("writing");
    // plant: items-are-marked-as-started-when-the-function-has-answered
    if (!(await this.#start(seqs, call.requestId, attempt))) return NOT_STARTED;
    notes.does("calling");
    const result = await invoker.invoke({
      ...call,
      // What a live batch would be counted as is counted apart.
      ...(batch?.isRetry === true ? { logs: "tail" } : {}),
      payload: () => {
        const payload = call.payload();
        this.#note(seqs, { attempt, isTold: false });
        context.telemetry.count("redriven_events", context.mapping.name, seqs.length);
        return payload;
      },
    });
    if (context.callSignal.aborted) return result;
    if (this.#options.isAtMostOnce && isUntold(result)) {
      this.end(seqs, "uncertain");
      this.isShut = true;
      return NOT_STARTED;
    }
    this.#note(seqs, { attempt, isTold: true });
    return result;
  }

  /** These have come to an end, in memory. */
  end(seqs: readonly number[], state: ItemEnd["state"], error?: ItemError): void {
    const { telemetry, mapping } = this.#options.context;
    if (state === "failed") telemetry.count("redrive_failed_events", mapping.name, seqs.length);
    if (state === "uncertain") telemetry.count("redrive_uncertain_events", mapping.name, seqs.length);
    for (const seq of seqs) {
      const attempt = this.#open.get(seq)?.attempt;
      // What no event can hold fails without an attempt.
      this.#ends.push({ seq, state, error, attempt: attempt ?? UNTRIED });
      this.#open.delete(seq);
    }
  }

  /**
   * Writes down all ends. What has started and not ended waits again, unless nobody knows what the function did with
   * it.
   */
  async close(): Promise<void> {
    const { context, redriveId, notes, onEnded } = this.#options;
    notes.does("writing");
    // plant: what-is-in-flight-at-a-stop-waits-again
    const told = [...this.#open].filter(([, { isTold }]) => isTold);
    this.end(
      told.map(([seq]) => seq),
      "waiting",
    );
    const untried = this.#ends.filter(({ attempt }) => attempt === UNTRIED).map(({ seq }) => seq);
    const attempt = context.nextAttempt();
    if (untried.length > 0 && !(await this.#start(untried, "", attempt))) return;
    const ends = this.#ends.splice(0).map((end) => (end.attempt === UNTRIED ? { ...end, attempt } : end));
    if (ends.length === 0) return;
    const { store, drainer, writeSignal } = context;
    const answer = await this.#write(() => store.end(drainer, redriveId, ends), writeSignal);
    if (answer === "fenced") context.onFenced();
    if (answer === "ended") onEnded(ends.filter(({ state }) => state !== "waiting").length);
  }

  #note(seqs: readonly number[], attempt: { readonly attempt: number; readonly isTold: boolean }): void {
    for (const seq of seqs) this.#open.set(seq, attempt);
  }

  async #start(seqs: readonly number[], requestId: string, attempt: number): Promise<boolean> {
    const { context, redriveId } = this.#options;
    const { store, drainer, stopSignal } = context;
    const start = () => store.start(drainer, redriveId, { seqs, requestId, attempt });
    const answer = await this.#write(start, stopSignal);
    if (answer === "fenced") context.onFenced();
    // They may have been marked by a call whose answer was lost: the function has not had them.
    // plant: a-start-that-was-refused-is-forgotten
    if (answer !== "fenced") this.#note(seqs, { attempt, isTold: true });
    if (answer === "started" && !stopSignal.aborted) return true;
    this.isShut = true;
    return false;
  }

  #write<T>(write: () => Promise<T>, stop: AbortSignal): Promise<T | undefined> {
    const message = "what a redrive has done could not be written down; trying again";
    return untilItWorks({ ...this.#options.context, notes: this.#options.notes }, message, write, stop);
  }
}

function isUntold(result: InvocationResult): boolean {
  switch (result.kind) {
    case "timedOut":
      return true;
    case "functionError":
      return UNTOLD_TYPES.includes(result.errorType);
    default:
      return false;
  }
}
