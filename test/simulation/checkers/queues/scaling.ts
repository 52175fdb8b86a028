import type { QueueMapping } from "../../../../src/model/mapping.ts";
import type { QueueAttempt } from "../../queue-history.ts";
import type { SimProcess } from "../../world/process.ts";
import { isParted, PartedBatches } from "./parted-batches.ts";
import type { QueueChecker } from "./queue-checker.ts";

const SHRINK_INTERVAL_MS = 1_000;

/**
 * At no time do more batches of a process run than its limit can be at most: 5 or the provisioned minimum to begin
 * with, growing by 300 (provisioned: 1,000) a minute up to the cap, halved by failures once a second (queues §2.4).
 */
export const scaling: QueueChecker = {
  id: "scaling",
  title: "batches at once",
  check({ queue, report }) {
    // Batches that wait for the function's own concurrency have begun before.
    if (queue.plan.fn.concurrency < 1_000) return;
    const begun = new Set<string>();
    const parted = new PartedBatches();
    const envelopes = new Map<SimProcess, Envelope>();
    for (const event of queue.events) {
      // A worker that begins anew has the limit of a new one.
      if (event.kind === "mappingBegun") envelopes.set(event.process, new Envelope(queue.mapping, event.at));
      if (event.kind !== "attemptStarted" && event.kind !== "attemptTold") continue;
      const envelope = envelopes.get(event.process) ?? new Envelope(queue.mapping, event.process.bornAt);
      envelopes.set(event.process, envelope);
      if (event.kind === "attemptTold") {
        envelope.told(event.attempt, event.at);
        parted.told(event.attempt);
        continue;
      }
      const { requestId } = event.attempt;
      const mayStart = envelope.start(event.at);
      // A batch that was throttled, or that goes on in parts, does so whatever the limit is now.
      const isNew = !begun.has(requestId) && !parted.hasPart(event.attempt);
      begun.add(requestId);
      if (isNew && !mayStart) {
        report(
          event.at,
          `${event.process.owner} runs ${envelope.running} batches, of ${envelope.limit.toFixed(1)}`,
        );
      }
    }
  },
};

/** The largest limit that the law allows. */
class Envelope {
  readonly #floor: number;
  readonly #cap: number;
  readonly #perMs: number;
  readonly #slowsOnErrors: boolean;
  limit: number;
  running = 0;
  #at: number;
  #shrunkAt = Number.NEGATIVE_INFINITY;
  /** A failure counts from the next instant on: what starts in the same one may have been before it. */
  #failedAt: number | undefined;

  constructor({ concurrencyMax, provisionedPollers, reportBatchItemFailures }: QueueMapping, bornAt: number) {
    this.#cap = provisionedPollers === undefined ? (concurrencyMax ?? 1_250) : 10 * provisionedPollers.max;
    this.#floor = provisionedPollers === undefined ? Math.min(2, this.#cap) : 10 * provisionedPollers.min;
    this.#perMs = ((provisionedPollers === undefined ? 300 : 1_000) / 60_000) * 1.01;
    this.#slowsOnErrors = !reportBatchItemFailures;
    this.limit = provisionedPollers === undefined ? Math.min(5, this.#cap) : this.#floor;
    this.#at = bornAt;
  }

  start(at: number): boolean {
    this.#grow(at);
    return ++this.running <= this.limit + 0.5;
  }

  told(attempt: QueueAttempt, at: number): void {
    this.#grow(at);
    this.running--;
    const { told, toldAgain } = attempt;
    const isFailure = toldAgain || (told !== "succeeded" && !isParted(attempt) && this.#slowsOnErrors);
    if (isFailure) this.#failedAt ??= at;
  }

  #grow(at: number): void {
    if (this.#failedAt !== undefined && at > this.#failedAt) this.#shrink(this.#failedAt);
    this.limit = Math.min(this.#cap, this.limit + (at - this.#at) * this.#perMs);
    this.#at = at;
  }

  #shrink(at: number): void {
    this.#failedAt = undefined;
    if (at - this.#shrunkAt < SHRINK_INTERVAL_MS + 2) return;
    this.#shrunkAt = at;
    // The worker may have halved its own by an earlier failure of this interval and have grown since, when more was
    // left of that growth than a halving now leaves.
    const grownSince = SHRINK_INTERVAL_MS * this.#perMs;
    this.limit = Math.min(this.#cap, Math.max(this.#floor, this.limit / 2 + grownSince / 2));
  }
}
