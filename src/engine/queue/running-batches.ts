import { type KeySplit, LAST_PLACE } from "../../model/key-split.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { BatchExplanation } from "../explanation.ts";
import type { BatchPlaces } from "./batch-places.ts";
import type { BatchScaling } from "./batch-scaling.ts";
import type { BatchingWindow } from "./batching-window.ts";
import type { HeldMessage } from "./held-message.ts";
import type { MessageLedger } from "./message-ledger.ts";
import type { MessageSettlement } from "./message-settlement.ts";
import { QueueBatchNotes } from "./queue-batch-notes.ts";
import { type QueueBatchContext, runQueueBatch } from "./queue-batch-run.ts";
import type { RunningWork } from "./running-work.ts";

const OTHER_SIDE = "groups of another side wait for their own batch";

export interface RunningBatchesOptions {
  /** What all batches have in common. */
  readonly context: Omit<QueueBatchContext, "notes" | "routingPlace">;
  readonly telemetry: Telemetry;
  readonly ledger: MessageLedger;
  readonly settlement: MessageSettlement;
  readonly window: BatchingWindow;
  readonly places: BatchPlaces;
  readonly scaling: BatchScaling;
  readonly work: RunningWork;
  /** A queue with order holds nothing back to show that there is more. */
  hasMore(): boolean;
  /** How the function's alias deals groups out to versions now; `undefined`: they all go to one. */
  split(): KeySplit | undefined;
}

/** Cuts batches of what waits, as many at once as may run, and sees each to its end. */
export class RunningBatches {
  readonly #options: RunningBatchesOptions;
  /** In the order of their start. */
  readonly #batches = new Map<readonly HeldMessage[], QueueBatchNotes>();

  constructor(options: RunningBatchesOptions) {
    this.#options = options;
  }

  /** What the mapping's concurrency bounds. */
  get size(): number {
    return this.#batches.size;
  }

  get messages(): number {
    return [...this.#batches.keys()].reduce((sum, batch) => sum + batch.length, 0);
  }

  explain(max: number): readonly BatchExplanation[] {
    return [...this.#batches].slice(0, max).map(([batch, notes]) => notes.explainBatch(batch));
  }

  /** Starts what may start. */
  start(): void {
    const { context, telemetry, ledger, window, places, scaling, work } = this.#options;
    if (context.isOver()) return;
    const nowMs = context.clock.monotonic();
    while (ledger.buffer.size > 0 && window.isOver(nowMs)) {
      if (this.#batches.size >= places.forAll) {
        scaling.saturated(nowMs);
        if (this.#batches.size >= places.forAll) {
          if (scaling.isAtCap) telemetry.mark("batches at once at their cap");
          return;
        }
      }
      const split = this.#options.split();
      const batch = ledger.buffer.take(split, () => telemetry.mark(OTHER_SIDE));
      if (batch.length === 0) {
        telemetry.mark("group waits for the end of its batch");
        return;
      }
      work.track(this.#run(batch, placeOf(batch, split)));
    }
    if (this.#batches.size >= places.forAll && this.#options.hasMore()) scaling.saturated(nowMs);
  }

  async #run(batch: readonly HeldMessage[], routingPlace: number | undefined): Promise<void> {
    const { context, ledger, settlement } = this.#options;
    const notes = new QueueBatchNotes(context.clock);
    this.#batches.set(batch, notes);
    const startedMs = context.clock.monotonic();
    try {
      // plant: messages-are-acknowledged-before-their-invocation
      const ending = await runQueueBatch({ ...context, notes, routingPlace }, batch);
      notes.does("settling");
      await settlement.settle(ending, notes);
    } finally {
      ledger.buffer.ended(batch, context.clock.monotonic() - startedMs);
      ledger.letGo(batch);
      this.#batches.delete(batch);
    }
  }
}

/** `lastPlaceOf` the side that its groups are of; without groups each batch goes by its request. */
function placeOf(batch: readonly HeldMessage[], split: KeySplit | undefined): number | undefined {
  const group = batch[0]?.message.groupId;
  if (group === undefined) return undefined;
  return split === undefined ? LAST_PLACE : split.lastPlaceOf(split.sideOf(group));
}
