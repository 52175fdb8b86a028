import { type ParkedBatch, type ParkedBatchContext, runParkedBatch } from "../engine/parked-batch.ts";
import type { FailureCause } from "../model/function-error.ts";
import { BATCH_SIZE_MAX } from "../model/limits.ts";
import type { Reason } from "../model/reason.ts";
import type { ItemError, Redrive } from "../model/redrive.ts";
import type { ParkedItem } from "../ports/parking-store.ts";
import type { Tracing } from "../ports/tracing.ts";
import { DrainDoor } from "./drain-door.ts";
import type { Pace } from "./pace.ts";
import type { RedriveContext, RedriveRoute } from "./redrive-context.ts";
import { RedriveNotes } from "./redrive-reasons.ts";

export interface QueueDrainOptions {
  readonly context: RedriveContext;
  /** As it was seen last. */
  readonly redrive: () => Redrive;
  readonly route: RedriveRoute;
  readonly pace: Pace;
  readonly queue: string;
  /** The redrive runs, as far as this process knows. */
  isRunning(): boolean;
  onEnded(items: number): void;
}

/** However often a live record of the mapping is tried: who redrives looks at what fails. */
const RETRIES_MAX = 2;

/**
 * Empties one queue, one batch at a time: its first item alone, so that what still fails costs no more than that, and
 * then as many as the mapping says. The first that fails to the end, or whose end nobody knows, is the last.
 */
export class QueueDrain {
  readonly #options: QueueDrainOptions;
  readonly #requests = new Map<string, readonly number[]>();
  readonly notes: RedriveNotes;
  #problem: string | undefined;
  #batch: ParkedBatch | undefined;

  constructor(options: QueueDrainOptions) {
    this.#options = options;
    this.notes = new RedriveNotes(options.context.clock);
  }

  /** What it waits for; `nowMs`: epoch. */
  reason(nowMs: number): Reason {
    const { route, redrive } = this.#options;
    if (this.notes.doing !== "calling" || this.#batch === undefined) return this.notes.reason(redrive().rate);
    return this.#batch.reason(route.explain(callerOf(redrive()).key), nowMs);
  }

  /** Resolves when nothing of the queue may start any more. Rejects when the store cannot be read. */
  async run(): Promise<void> {
    let hasSucceeded = false;
    while (this.#mayStart()) {
      this.notes.does("reading");
      const batch = await this.#next(hasSucceeded);
      if (batch.length === 0 || !(await this.#runBatch(batch))) return;
      hasSucceeded = true;
    }
  }

  #mayStart(): boolean {
    const { context, isRunning } = this.#options;
    return isRunning() && context.isLive() && !context.stopSignal.aborted;
  }

  /**
   * What was one request before is one again, under the id that it had; else items of one shard, at first one alone,
   * and not more than a second's worth.
   */
  async #next(hasSucceeded: boolean): Promise<readonly ParkedItem[]> {
    const { context, redrive, queue } = this.#options;
    const { store, mapping, settings, telemetry } = context;
    const { id, rate = Number.POSITIVE_INFINITY } = redrive();
    const read = (itemsMax: number) => store.head(id, queue, itemsMax, settings.payloadBytesMax);
    const items = await read(mapping.batchSize);
    const [first] = items;
    if (first === undefined) return [];
    if (first.requestId !== undefined) {
      telemetry.mark("parked request made again under its id");
      const isAll = items.some(({ requestId }) => requestId !== first.requestId);
      const all = isAll || items.length < mapping.batchSize ? items : await read(BATCH_SIZE_MAX);
      return all.filter(({ requestId }) => requestId === first.requestId);
    }
    if (!hasSucceeded) return [first];
    return this.#fitting(items, Math.max(1, Math.floor(rate)));
  }

  #fitting(items: readonly ParkedItem[], itemsMax: number): readonly ParkedItem[] {
    const { events } = this.#options.context.mapping;
    const shardId = items[0]?.shardId ?? "";
    let bytes = events.envelopeBytes(shardId);
    const end = items.findIndex((item, index) => {
      bytes += item.element.length + (index === 0 ? 0 : 1);
      if (index === 0) return false;
      const isOther = item.requestId !== undefined || item.shardId !== shardId;
      return isOther || index >= itemsMax || bytes > this.#options.context.settings.payloadBytesMax;
    });
    return end === -1 ? items : items.slice(0, end);
  }

  async #runBatch(items: readonly ParkedItem[]): Promise<boolean> {
    const { context, route, pace, onEnded } = this.#options;
    const redrive = this.#options.redrive();
    this.#requests.clear();
    const door = new DrainDoor({
      context,
      invoker: route.invoker,
      redriveId: redrive.id,
      pace,
      isAtMostOnce: redrive.delivery === "at-most-once",
      notes: this.notes,
      onEnded,
      seqsOf: (requestId) => this.#requests.get(requestId) ?? [],
    });
    let isOver = false;
    try {
      const traces = context.tracing === undefined ? undefined : await this.#tracesOf(items, context.tracing);
      const traced = items.map((item) => ({ ...item, trace: traces?.get(item.failureId) }));
      this.#batch = runParkedBatch(this.#batchContext(items, door), traced);
      isOver = await this.#batch.ended;
    } finally {
      await door.close();
    }
    return isOver && !door.isShut;
  }

  /** Best effort: no record waits for a list that does not answer. */
  async #tracesOf(items: readonly ParkedItem[], tracing: Tracing) {
    const { feed } = this.#options.context;
    const ids = [...new Set(items.map(({ failureId }) => failureId))].slice(0, tracing.linksMax);
    try {
      return await feed.tracesOf?.(this.#options.redrive(), ids);
    } catch {
      return undefined;
    }
  }

  #batchContext(items: readonly ParkedItem[], door: DrainDoor): ParkedBatchContext {
    const { context, route } = this.#options;
    const redrive = this.#options.redrive();
    const { mapping, settings, clock, random, telemetry, tracing, stopSignal, callSignal } = context;
    const isKeyless = items[0]?.key === undefined;
    const shardId = items[0]?.shardId ?? "";
    return {
      mapping: { ...mapping, functionArn: route.functionArn },
      shardId,
      tracing,
      subject: () => mapping.subject(shardId),
      events: mapping.events,
      retriesMax: Math.min(mapping.retryAttemptsMax ?? RETRIES_MAX, RETRIES_MAX),
      settings: { ...settings, backoffCapMs: Math.min(settings.backoffCapMs, BACKOFF_CAP_MS) },
      clock,
      random,
      telemetry,
      invoker: door,
      caller: { ...callerOf(redrive), mapping: mapping.name },
      stopSignal,
      callSignal,
      mayStart: () => !door.isShut && this.#mayStart(),
      requestIdOf: (seqs) => this.#requestIdOf(items, seqs),
      // plant: the-feed-hears-that-an-item-is-done-before-the-store
      settle: (seqs) => door.end(seqs, "done"),
      fail: (seqs, condition, cause) => {
        door.end(seqs, "failed", errorOf(cause, this.#problem ?? condition));
        // plant: what-is-behind-a-failed-item-of-its-key-goes-on
        if (!isKeyless) door.isShut = true;
      },
      report: (problem) => {
        this.#problem = problem;
      },
    };
  }

  /** The same for the same items, in whatever process and however often. */
  #requestIdOf(items: readonly ParkedItem[], seqs: readonly number[]): string {
    const { context, redrive } = this.#options;
    const ids = seqs.map((seq) => items.find((item) => item.seq === seq)?.id);
    const requestId = context.digest(JSON.stringify([redrive().id, ...ids]));
    this.#requests.set(requestId, seqs);
    return requestId;
  }
}

/** Nobody waits for an hour to see that what is redriven still fails. */
const BACKOFF_CAP_MS = 10_000;

function callerOf({ id }: Redrive) {
  return { kind: "redrive", key: `redrive:${id}` } as const;
}

function errorOf(cause: FailureCause | undefined, problem: string): ItemError {
  if (cause === undefined) return { type: problem, message: "" };
  return { type: cause.errorType, message: cause.message, id: cause.id };
}
