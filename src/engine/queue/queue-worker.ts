import { describeError } from "../../model/errors.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { ProgressStore } from "../../ports/progress-store.ts";
import type { QueueMessage } from "../../ports/queue-source.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Tracing } from "../../ports/tracing.ts";
import { ByteBudget } from "../budget.ts";
import type { MappingStatus, QueueDeployment } from "../engine.ts";
import type { BatchExplanation, QueueExplanation } from "../explanation.ts";
import { compileFilterCriteria, type FilterMatcher } from "../filter/filter.ts";
import { epochOf } from "../invoke/attempt-notes.ts";
import { FailureLog } from "../invoke/failure-log.ts";
import type { FunctionInvoker } from "../invoke/function-invoker.ts";
import type { EngineSettings } from "../settings.ts";
import { sleepUnless } from "../sleep.ts";
import { queueSubject } from "../trace/trace-subject.ts";
import { Tracer } from "../trace/tracer.ts";
import { BatchScaling, maximumOf } from "./batch-scaling.ts";
import { ConcurrencyShare } from "./concurrency-share.ts";
import { FailedMessages } from "./failed-messages.ts";
import { type HeldMessage, isHeldAt } from "./held-message.ts";
import { HoldKeeper } from "./hold-keeper.ts";
import { MessageBuffer } from "./message-buffer.ts";
import { QueueBatchNotes } from "./queue-batch-notes.ts";
import { type BatchEnding, runQueueBatch } from "./queue-batch-run.ts";
import { Receiver } from "./receiver.ts";
import { Settler } from "./settler.ts";

export interface QueueWorkerOptions {
  readonly deployment: QueueDeployment;
  readonly owner: string;
  readonly store: ProgressStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly tracing?: Tracing | undefined;
  readonly settings: EngineSettings;
  readonly processBudget: ByteBudget;
  readonly invoker: FunctionInvoker;
  /** The function's time-out: what a hold must outlast. */
  readonly functionTimeoutMs: number;
}

/** What AWS adds to a hold that must outlast window and function (queues §2.1). */
const HOLD_MARGIN_MS = 30_000;
/** Of each kind in an explanation. */
const EXPLAINED_MAX = 100;
/** How long a stop waits for releases beyond its drain time. */
const LAST_WORDS_MS = 5_000;

/** Runs one queue mapping in this process: receives, batches, invokes, settles (queues §2). */
export class QueueWorker {
  readonly #options: QueueWorkerOptions;
  readonly #tracer: Tracer | undefined;
  readonly #filter: FilterMatcher | undefined;
  readonly #scaling: BatchScaling;
  /** Of the maximum that holds over all processes, where the mapping has one. */
  readonly #share: ConcurrencyShare | undefined;
  readonly #buffer: MessageBuffer;
  readonly #holds: HoldKeeper;
  readonly #settler: Settler;
  readonly #receiver: Receiver;
  readonly #failures: FailureLog;
  readonly #budget: ByteBudget;
  readonly #holdMs: number;
  readonly #stop = new AbortController();
  readonly #calls = new AbortController();
  /** What must end before a stop has ended: batches, and deletes and releases beside them. */
  readonly #running = new Set<Promise<void>>();
  /** What the mapping's concurrency bounds, in the order of their start. */
  readonly #batches = new Map<readonly HeldMessage[], QueueBatchNotes>();
  readonly #failed = new FailedMessages();
  /** Messages on their way to be deleted unread. */
  #unwanted = 0;
  #state: MappingStatus["state"] = "Enabled";
  /** Monotonic: when all messages that failed here are visible again. */
  #leftUntilMs = Number.NEGATIVE_INFINITY;
  #timer: ScheduledCall | undefined;
  #onDrained: (() => void) | undefined;

  constructor(options: QueueWorkerOptions) {
    const { deployment, clock, random, telemetry, settings, processBudget, functionTimeoutMs } = options;
    const { mapping, source } = deployment;
    this.#options = options;
    const { tracing } = options;
    if (tracing !== undefined) {
      this.#tracer = new Tracer({
        tracing,
        clock,
        random,
        subject: queueSubject(mapping, source.description),
      });
    }
    const { filterPatterns } = mapping;
    this.#filter =
      filterPatterns.length === 0
        ? undefined
        : compileFilterCriteria(filterPatterns, source.events.filterDataKey, { dataPattern: "any" });
    this.#scaling = new BatchScaling(mapping, clock.monotonic());
    this.#share = this.#createShare(maximumOf(mapping));
    this.#buffer = new MessageBuffer({
      batchSize: mapping.batchSize,
      payloadBytesMax: settings.payloadBytesMax,
      envelopeBytes: source.events.envelopeBytes,
    });
    this.#budget = new ByteBudget(settings.mappingBudgetBytes, processBudget);
    this.#holdMs = holdMs(mapping.batchingWindowMs, functionTimeoutMs, source.description.visibilityMs);
    this.#failures = new FailureLog(mapping.name, clock, telemetry);
    this.#holds = new HoldKeeper({
      mapping: mapping.name,
      source,
      holdMs: this.#holdMs,
      clock,
      telemetry,
      onLost: (lost) => this.#lose(lost),
    });
    const { signal } = this.#calls;
    this.#settler = new Settler({
      mapping: mapping.name,
      source,
      clock,
      random,
      telemetry,
      limits: settings,
      onAnswered: (answered) => this.#holds.remove(answered),
      signal,
    });
    this.#receiver = new Receiver({
      mapping: mapping.name,
      source,
      holdMs: this.#holdMs,
      scaling: this.#scaling,
      clock,
      random,
      telemetry,
      limits: settings,
      signal: this.#stop.signal,
      room: (expected) => this.#room(expected),
      hiddenUntilMs: () => this.#leftUntilMs,
      onReceived: (messages, askedMs) => this.#received(messages, askedMs),
      onReady: () => this.#go(),
    });
  }

  start(): void {
    this.#gauge();
    this.#share?.start();
    this.#go();
  }

  async stop(drainMs: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { clock } = this.#options;
    this.#state = "Disabling";
    this.#stop.abort();
    this.#receiver.close();
    this.#timer?.cancel();
    const waiting = [...this.#buffer.messages];
    if (waiting.length > 0) this.#options.telemetry.mark("waiting messages released on stop");
    this.#drop(waiting);
    const released = this.#settler.release(waiting);
    this.#share?.close();
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve;
      if (this.#running.size === 0) resolve();
    });
    await sleepUnless(drained, clock, drainMs);
    if (this.#running.size > 0) this.#options.telemetry.mark("drain of a queue cut short");
    this.#calls.abort();
    const last = Promise.all([released, ...this.#running]).then(() => this.#share?.end());
    await sleepUnless(last, clock, LAST_WORDS_MS);
    this.#share?.abandon();
    this.#holds.close();
    this.#state = "Disabled";
  }

  status(): MappingStatus {
    const { uuid, name } = this.#options.deployment.mapping;
    const caughtUp = this.#receiver.isDry && this.#running.size === 0 && this.#buffer.size === 0;
    const lastProcessingResult = this.#failures.lastResult;
    const oldestAgeMs = this.#holds.oldestAgeMs() ?? 0;
    return { uuid, name, state: this.#state, lastProcessingResult, oldestAgeMs, shards: [], caughtUp };
  }

  explain(): QueueExplanation {
    const { deployment, invoker, clock } = this.#options;
    const epochMs = epochOf(clock);
    const batches: BatchExplanation[] = [...this.#batches]
      .slice(0, EXPLAINED_MAX)
      .map(([batch, notes]) => notes.explainBatch(batch));
    return {
      kind: "queue",
      function: invoker.explain(deployment.mapping.name),
      batchesMax: this.#batchesMax,
      runningBatches: this.#batches.size,
      waitingMessages: this.#buffer.size,
      receiving: this.#receiver.explain(epochMs),
      batches,
      waitingGroups: this.#buffer.groups(EXPLAINED_MAX),
      failedMessages: this.#failed.explain(clock.monotonic(), epochMs),
    };
  }

  /** Starts what may start: batches first, so that receives see how much room they leave. */
  #go(): void {
    if (this.#stop.signal.aborted) return;
    this.#startBatches();
    this.#receiver.go();
    this.#planFlush();
  }

  // What may run at once.

  #createShare(concurrencyMax: number | undefined): ConcurrencyShare | undefined {
    if (concurrencyMax === undefined) return undefined;
    const { mapping } = this.#options.deployment;
    return new ConcurrencyShare({
      ...this.#options,
      mappingUuid: mapping.uuid,
      mapping: mapping.name,
      concurrencyMax,
      running: () => this.#batches.size,
      onChange: () => this.#shareChanged(),
    });
  }

  get #batchesMax(): number {
    return Math.min(this.#scaling.limit, this.#share?.places ?? Number.POSITIVE_INFINITY);
  }

  /** What waits without a place is for those who have one. */
  #shareChanged(): void {
    const waiting = this.#share?.places === 0 ? [...this.#buffer.messages] : [];
    if (waiting.length > 0 && !this.#stop.signal.aborted) this.#giveBack(waiting);
    this.#gauge();
    this.#go();
  }

  #giveBack(waiting: readonly HeldMessage[]): void {
    this.#options.telemetry.mark("messages given back without a place to run");
    this.#drop(waiting);
    this.#track(this.#settler.release(waiting));
  }

  // Receiving.

  /** Messages that may be received: no receive without room for its result. One batch may wait for each that may run. */
  #room(expected: number): number {
    const { mapping, source } = this.#options.deployment;
    const batchesMax = this.#batchesMax;
    if (batchesMax === 0) return 0;
    const inHand = this.#buffer.size + expected + this.#unwanted;
    // Who holds nothing may receive in any case: no mapping starves behind another's stalled function.
    const holdsNothing = this.#budget.used === 0 && expected === 0;
    if (!holdsNothing && this.#budget.room <= 0) {
      this.#options.telemetry.mark("receive paused by a full byte budget");
      return 0;
    }
    const perBatch = Math.max(mapping.batchSize, source.description.receiveMessagesMax);
    const free = Math.max(1, batchesMax - this.#batches.size);
    return free * perBatch - inHand;
  }

  #received(messages: readonly QueueMessage[], askedMs: number): void {
    const receivedMs = this.#options.clock.monotonic();
    const held = messages.map((message) => ({
      message,
      receivedMs,
      holdUntilMs: askedMs + this.#holdMs,
      isLost: false,
    }));
    if (this.#stop.signal.aborted) {
      void this.#settler.release(held);
      return;
    }
    for (const { message } of held) this.#budget.take(message.bytes);
    const wanted = held.filter(({ message }) => this.#passes(message));
    const unwanted = held.filter((each) => !wanted.includes(each));
    if (unwanted.length > 0) this.#track(this.#discard(unwanted));
    this.#holds.add(wanted);
    for (const each of wanted) this.#buffer.add(each);
    if (wanted.length > 0 && this.#batchesMax === 0) this.#giveBack(wanted);
    this.#gauge();
  }

  #passes(message: QueueMessage): boolean {
    const { events } = this.#options.deployment.source;
    return this.#filter === undefined || this.#filter.matches(events.filterDocument(message));
  }

  /** Messages that no pattern matches are deleted at once (queues §6.2), and take room until they are. */
  async #discard(unwanted: readonly HeldMessage[]): Promise<void> {
    const { telemetry, deployment } = this.#options;
    telemetry.count("filtered_out_events", deployment.mapping.name, unwanted.length);
    telemetry.mark("filtered messages deleted");
    this.#unwanted += unwanted.length;
    await this.#settler.acknowledge(unwanted);
    this.#unwanted -= unwanted.length;
    for (const { message } of unwanted) this.#budget.release(message.bytes);
  }

  // Batches.

  #startBatches(): void {
    const nowMs = this.#options.clock.monotonic();
    while (this.#buffer.size > 0 && this.#isBatchDue(nowMs)) {
      if (this.#batches.size >= this.#batchesMax) {
        this.#scaling.saturated(nowMs);
        if (this.#batches.size >= this.#batchesMax) {
          if (this.#scaling.isAtCap) this.#options.telemetry.mark("batches at once at their cap");
          return;
        }
      }
      const batch = this.#buffer.take();
      if (batch.length === 0) {
        this.#options.telemetry.mark("group waits for the end of its batch");
        return;
      }
      this.#track(this.#run(batch).finally(() => this.#batches.delete(batch)));
    }
  }

  #isBatchDue(nowMs: number): boolean {
    return this.#buffer.isFull || nowMs >= this.#flushAtMs || this.#budget.room <= 0;
  }

  /** Monotonic end of the batching window of the oldest message that could go now. */
  get #flushAtMs(): number {
    const { oldestMs } = this.#buffer;
    if (oldestMs === undefined) return Number.POSITIVE_INFINITY;
    return oldestMs + this.#options.deployment.mapping.batchingWindowMs;
  }

  #planFlush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { clock } = this.#options;
    const delayMs = this.#flushAtMs - clock.monotonic();
    if (delayMs === Number.POSITIVE_INFINITY || delayMs <= 0) return;
    this.#timer = clock.schedule(delayMs, () => this.#go());
  }

  async #run(batch: readonly HeldMessage[]): Promise<void> {
    const { deployment, clock, random, settings, telemetry, invoker } = this.#options;
    const { mapping, source } = deployment;
    const notes = new QueueBatchNotes(clock);
    this.#batches.set(batch, notes);
    const ending = await runQueueBatch(
      {
        mapping,
        source,
        settings,
        clock,
        random,
        telemetry,
        tracer: this.#tracer,
        invoker,
        stopSignal: this.#stop.signal,
        callSignal: this.#calls.signal,
        slowDown: () => {
          if (this.#scaling.failed(clock.monotonic())) telemetry.mark("batches at once halved");
        },
        report: (problem, where) => this.#failures.report(problem, where),
        acknowledge: async (done) => {
          if (done.length === 0) return;
          await this.#settler.acknowledge(done);
          this.#holds.remove(done);
        },
        notes,
      },
      batch,
    );
    this.#failed.add(ending.leave, notes.lastProblem ?? "the engine was stopped");
    await this.#settle(batch, ending);
  }

  async #settle(batch: readonly HeldMessage[], ending: BatchEnding): Promise<void> {
    const nowMs = this.#options.clock.monotonic();
    // A message whose hold is lost may run elsewhere by now, though it is done here: its group waits for that too.
    const lost = ending.acknowledge.filter((held) => !isHeldAt(held, nowMs));
    const failedGroups = new Set(
      [...ending.leave, ...ending.release, ...lost].flatMap(({ message }) => message.groupId ?? []),
    );
    const behind = failedGroups.size === 0 ? [] : this.#buffer.takeGroups(failedGroups);
    if (behind.length > 0) this.#options.telemetry.mark("group given back behind a failure");
    this.#holds.remove([...ending.leave, ...ending.release, ...behind]);
    this.#leftUntilMs = Math.max(
      this.#leftUntilMs,
      ending.release.length > 0 ? nowMs + ending.releaseAfterMs : nowMs,
      ...ending.leave.map(({ holdUntilMs }) => holdUntilMs),
    );
    await Promise.all([
      ending.acknowledge.length === 0 ? undefined : this.#settler.acknowledge(ending.acknowledge),
      this.#settler.release(ending.release, ending.releaseAfterMs),
      this.#settler.release(behind),
    ]);
    this.#holds.remove(ending.acknowledge);
    this.#buffer.freeGroups(batch);
    for (const { message } of [...batch, ...behind]) this.#budget.release(message.bytes);
    this.#gauge();
  }

  /**
   * Holds that ended too early. Messages of a batch that runs end with it; those that wait are forgotten, and what waits
   * with them in their groups is given back: it must not overtake them when they come again.
   */
  #lose(lost: readonly HeldMessage[]): void {
    const waiting = new Set(this.#buffer.messages);
    const dropped = lost.filter((held) => waiting.has(held));
    const { telemetry } = this.#options;
    telemetry.mark(dropped.length < lost.length ? "hold lost in flight" : "hold lost while waiting");
    if (dropped.length === 0) return;
    this.#drop(dropped);
    const behind = this.#buffer.takeGroups(new Set(dropped.flatMap(({ message }) => message.groupId ?? [])));
    if (behind.length > 0) telemetry.mark("group given back behind a lost message");
    this.#holds.remove(behind);
    for (const { message } of behind) this.#budget.release(message.bytes);
    this.#track(this.#settler.release(behind));
  }

  /** Takes messages that wait out of our hands. */
  #drop(waiting: readonly HeldMessage[]): void {
    this.#buffer.remove(new Set(waiting));
    this.#holds.remove(waiting);
    for (const { message } of waiting) this.#budget.release(message.bytes);
    this.#gauge();
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        const fields = { mapping: this.#options.deployment.mapping.name, error: describeError(error) };
        this.#options.telemetry.log(
          "error",
          "a batch of a queue stopped on a defect; its messages come again",
          fields,
        );
        this.#state = "Failed";
      })
      .finally(() => {
        this.#running.delete(tracked);
        this.#share?.batchEnded();
        if (this.#running.size === 0) this.#onDrained?.();
        this.#go();
      });
    this.#running.add(tracked);
  }

  #gauge(): void {
    const { telemetry, deployment } = this.#options;
    telemetry.gauge("buffered_bytes", deployment.mapping.name, this.#budget.used);
    telemetry.gauge("buffered_records", deployment.mapping.name, this.#buffer.size);
    telemetry.gauge("queue_concurrency_limit", deployment.mapping.name, this.#batchesMax);
  }
}

/** A hold outlasts the batching window and the function (queues §2.1). */
function holdMs(batchingWindowMs: number, functionTimeoutMs: number, visibilityMs: number): number {
  const neededMs = batchingWindowMs + functionTimeoutMs;
  return batchingWindowMs > 0 && neededMs > visibilityMs ? neededMs + HOLD_MARGIN_MS : visibilityMs;
}
