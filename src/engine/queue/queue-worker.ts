import type { FunctionInvoker } from "../../invocation/function-invoker.ts";
import { RepeatedLines } from "../../lib/repeated-lines.ts";
import { scheduleAfter, sleepUnless } from "../../lib/sleep.ts";
import type { Caller } from "../../model/caller.ts";
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
import { epochOf } from "../invoke/attempt-notes.ts";
import { FailureLog } from "../invoke/failure-log.ts";
import type { EngineSettings } from "../settings.ts";
import { queueSubject } from "../trace/trace-subject.ts";
import { Tracer } from "../trace/tracer.ts";
import { BatchPlaces } from "./batch-places.ts";
import { BatchScaling } from "./batch-scaling.ts";
import { FailedMessages } from "./failed-messages.ts";
import { GivenUpLog } from "./given-up-log.ts";
import { type HeldMessage, isHeldAt } from "./held-message.ts";
import { HoldKeeper } from "./hold-keeper.ts";
import { HoldLength } from "./hold-length.ts";
import { MessageBuffer } from "./message-buffer.ts";
import { MessageLedger } from "./message-ledger.ts";
import { MessageSieve } from "./message-sieve.ts";
import type { Hold, OpenReceive } from "./open-receive.ts";
import { QueueBatchNotes } from "./queue-batch-notes.ts";
import { type BatchEnding, runQueueBatch } from "./queue-batch-run.ts";
import { ReceiveRoom } from "./receive-room.ts";
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

/** How many of each kind an explanation shows. */
const EXPLAINED_MAX = 100;
/** How long a stop waits for releases beyond its drain time. */
const LAST_WORDS_MS = 5_000;

/** Runs one queue mapping in this process: receives, batches, invokes, settles (queues §2). */
export class QueueWorker {
  readonly #options: QueueWorkerOptions;
  readonly #caller: Caller;
  readonly #tracer: Tracer | undefined;
  readonly #sieve: MessageSieve;
  readonly #holdLength: HoldLength;
  readonly #scaling: BatchScaling;
  readonly #places: BatchPlaces;
  readonly #buffer: MessageBuffer;
  readonly #ledger: MessageLedger;
  readonly #settler: Settler;
  readonly #receiver: Receiver;
  readonly #room: ReceiveRoom;
  readonly #failures: FailureLog;
  readonly #givenUp: GivenUpLog;
  readonly #holds: HoldKeeper;
  readonly #budget: ByteBudget;
  /** Nothing more is received. */
  readonly #stop = new AbortController();
  /** Nothing more is started. */
  readonly #end = new AbortController();
  readonly #calls = new AbortController();
  /** What must end before a stop has ended: batches, and deletes and releases beside them. */
  readonly #running = new Set<Promise<void>>();
  /** What the mapping's concurrency bounds, in the order of their start. */
  readonly #batches = new Map<readonly HeldMessage[], QueueBatchNotes>();
  readonly #failed = new FailedMessages();
  #settledMessages = 0;
  #state: MappingStatus["state"] = "Enabled";
  #isStopNear = false;
  /** Monotonic: a stop's drain is over, whenever the timer comes that ends it (principle 13). */
  #startsUntilMs = Number.POSITIVE_INFINITY;
  /** Monotonic: when all messages that failed here are visible again. */
  #leftUntilMs = Number.NEGATIVE_INFINITY;
  #timer: ScheduledCall | undefined;
  #hurried: ScheduledCall | undefined;
  #onDrained: (() => void) | undefined;

  constructor(options: QueueWorkerOptions) {
    const { deployment, clock, random, telemetry, tracing, settings, processBudget } = options;
    const { mapping, source } = deployment;
    const { name } = mapping;
    this.#options = options;
    this.#caller = { kind: "mapping", key: options.deployment.mapping.name };
    const subject = queueSubject(mapping, source.description);
    this.#tracer = tracing && new Tracer({ tracing, clock, random, subject });
    this.#sieve = new MessageSieve(mapping, source.events);
    this.#holdLength = new HoldLength({ ...options, mapping, source });
    this.#scaling = new BatchScaling(mapping, clock.monotonic());
    this.#places = new BatchPlaces({
      ...options,
      mapping,
      scaling: this.#scaling,
      running: () => this.#batches.size,
      isEmptyHanded: () => this.#buffer.size === 0 && this.#receiver.running === 0,
      onChange: (mayWait) => this.#placesChanged(mayWait),
      patienceMs: () => Math.min(settings.leaseDurationMs, this.#holdLength.ms / 2),
    });
    const { payloadBytesMax } = settings;
    const { envelopeBytes } = source.events;
    this.#buffer = new MessageBuffer({ batchSize: mapping.batchSize, payloadBytesMax, envelopeBytes });
    this.#budget = new ByteBudget(settings.mappingBudgetBytes, processBudget);
    this.#failures = new FailureLog(name, clock, telemetry);
    this.#givenUp = new GivenUpLog(name, clock, telemetry);
    const holdMs = () => this.#holdLength.ms;
    const lines = new RepeatedLines(clock, telemetry);
    const common = { mapping: name, source, clock, random, telemetry, lines, limits: settings, holdMs };
    this.#holds = new HoldKeeper({ ...common, onLost: (lost) => this.#lose(lost) });
    this.#ledger = new MessageLedger({ buffer: this.#buffer, holds: this.#holds, budget: this.#budget });
    this.#settler = new Settler({
      ...common,
      onAnswered: (answered) => this.#ledger.unhold(answered),
      signal: this.#calls.signal,
    });
    this.#room = new ReceiveRoom({
      mapping,
      source,
      ledger: this.#ledger,
      budget: this.#budget,
      telemetry,
      payloadBytesMax,
    });
    this.#receiver = new Receiver({
      ...common,
      scaling: this.#scaling,
      signal: this.#stop.signal,
      room: (underWay) => this.#room.of(underWay, this.#places.forNew, this.#batches.size),
      isHasty: () => this.#isStopNear || this.#places.areHandedOver,
      hiddenUntilMs: () => this.#leftUntilMs,
      onReceived: (messages, hold) => this.#received(messages, hold),
      onReady: () => this.#go(),
    });
  }

  /** `receives`: of the worker that ran this mapping before; what they bring is run here. */
  start(receives: readonly OpenReceive[] = []): void {
    this.#gauge();
    this.#places.start();
    if (receives.length > 0)
      this.#options.telemetry.mark("receives taken over from an earlier configuration");
    this.#receiver.adopt(receives);
    this.#go();
  }

  get deployment(): QueueDeployment {
    return this.#options.deployment;
  }

  /** A stop comes soon: it must not wait long for receives that are asked for from now on. */
  expectStop(): void {
    this.#isStopNear = true;
  }

  /** What is under way is the next worker's: this one does not wait for it. To be called before `stop`. */
  handOverReceives(): readonly OpenReceive[] {
    return this.#receiver.handOver();
  }

  /**
   * Receives nothing new; what is under way comes back, and is run as long as the drain lasts (principle 7), or is
   * given back after `startsMs`, when others may count on it that nothing starts here any more.
   */
  async stop(drainMs: number, startsMs = drainMs): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { clock, telemetry } = this.#options;
    this.#state = "Disabling";
    if (this.#ledger.buffer.size > 0 || this.#receiver.running > 0)
      telemetry.mark("stopped with messages to run");
    this.#stop.abort();
    this.#startsUntilMs = clock.monotonic() + Math.min(startsMs, drainMs);
    this.#receiver.close();
    this.#timer?.cancel();
    this.#places.close();
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve;
      this.#go();
    });
    // plant: a-queues-stop-does-not-wait-for-what-runs
    // plant: a-stop-gives-back-what-waits-though-it-could-run
    await sleepUnless(drained, clock, Math.min(startsMs, drainMs));
    this.#hurried?.cancel();
    const released = this.#endStarts();
    if (startsMs < drainMs) await sleepUnless(Promise.all(this.#running), clock, drainMs - startsMs);
    if (this.#running.size > 0) this.#tellCutShort();
    this.#calls.abort();
    const last = Promise.all([released, ...this.#running]).then(() => this.#places.end());
    await sleepUnless(last, clock, LAST_WORDS_MS);
    this.#places.abandon();
    this.#close();
    this.#state = "Disabled";
  }

  /** A stop is under way, and another is asked for that may be sooner: its drain holds too. */
  hurry(drainMs: number): void {
    if (!this.#stop.signal.aborted || this.#end.signal.aborted) return;
    const { clock } = this.#options;
    this.#startsUntilMs = Math.min(this.#startsUntilMs, clock.monotonic() + drainMs);
    this.#hurried?.cancel();
    this.#hurried = scheduleAfter(clock, drainMs, () => this.#onDrained?.());
  }

  /** What outlasts the drain is given up: nobody hears how it ended. */
  #tellCutShort(): void {
    const { telemetry, deployment } = this.#options;
    const batches = [...this.#batches.keys()];
    telemetry.mark("drain of a queue cut short");
    telemetry.log("warn", "a drain was over before all batches had ended; what is not settled comes again", {
      mapping: deployment.mapping.name,
      batches: batches.length,
      messages: batches.reduce((sum, batch) => sum + batch.length, 0),
    });
  }

  /** What has not started by now is given back. */
  #endStarts(): Promise<void> {
    const { telemetry, invoker, deployment } = this.#options;
    const { name } = deployment.mapping;
    const receives = this.#receiver.running;
    if (receives > 0) {
      const message = "receives did not come back before the drain was over; what they bring comes again";
      telemetry.log("warn", message, { mapping: name, receives });
    }
    this.#end.abort();
    // plant: batches-that-wait-for-the-function-start-after-stop-2
    invoker.dismiss(name);
    const waiting = this.#buffer.messages;
    if (waiting.length > 0) telemetry.mark("waiting messages released on stop");
    // plant: waiting-messages-are-kept-on-stop
    return this.#giveBack(waiting, "the drain of a stop is over", this.#receiver.untilBackMs);
  }

  #close(): void {
    const { telemetry, deployment } = this.#options;
    const isAllDone = this.#running.size === 0;
    const left = this.#ledger.close();
    this.#gauge();
    if (left === 0 || !isAllDone) return;
    // Given back now; but whoever had them forgot to.
    telemetry.count("forgotten_messages", deployment.mapping.name, left);
    const message = "messages were still in hand when all work of their mapping had ended: a defect";
    telemetry.log("error", message, { mapping: deployment.mapping.name, messages: left });
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
      batchesMax: this.#places.forAll,
      runningBatches: this.#batches.size,
      waitingMessages: this.#buffer.size,
      settledMessages: this.#settledMessages,
      settling: this.#running.size - this.#batches.size,
      isStopping: this.#stop.signal.aborted,
      fillingUntilMs: this.#buffer.oldestMs === undefined ? undefined : epochMs(this.#flushAtMs),
      receiving: this.#receiver.explain(epochMs),
      batches,
      waitingGroups: this.#buffer.groups(EXPLAINED_MAX),
      failedMessages: this.#failed.explain(clock.monotonic(), epochMs),
    };
  }

  /** Starts what may start: batches first, so that receives see how much room they leave. */
  #go(): void {
    if (!this.#end.signal.aborted) {
      this.#startBatches();
      this.#receiver.go();
      this.#planFlush();
    }
    this.#places.lookAtHandovers();
    // plant: a-stop-does-not-wait-for-receives-that-are-under-way
    const isDrained = this.#running.size === 0 && this.#buffer.size === 0 && this.#receiver.running === 0;
    if (isDrained) this.#onDrained?.();
  }

  /** Places that were lost did not come back: what waits is for those who have one. */
  #placesChanged(mayWait: boolean): void {
    // plant: messages-wait-for-a-place-that-never-comes
    if (!mayWait && this.#buffer.size > 0) {
      this.#options.telemetry.mark("messages given back without a place to run");
      const reason = "other processes have all places of the shared maximum";
      this.#track(this.#giveBack(this.#buffer.messages, reason, this.#receiver.untilBackMs));
    }
    this.#gauge();
    this.#go();
  }

  /** They wait here, and no function has seen them. */
  async #giveBack(waiting: readonly HeldMessage[], reason: string, afterMs = 0): Promise<void> {
    if (waiting.length === 0) return;
    this.#givenUp.unseen(waiting, reason);
    this.#ledger.letGo(waiting);
    this.#gauge();
    await this.#settler.release(waiting, afterMs);
  }

  /** Nothing that goes back at the end of a stop is to come again by a receive of ours. */
  get #whileStopped(): number {
    return this.#end.signal.aborted ? this.#receiver.untilBackMs : 0;
  }

  // Receiving.

  #received(messages: readonly QueueMessage[], hold: Hold): void {
    // Told when the drain ended; the source may be closed by now.
    if (this.#state === "Disabled") return;
    const receivedMs = this.#options.clock.monotonic();
    const held = messages.map((message) => this.#ledger.take(message, receivedMs, hold));
    if (this.#end.signal.aborted) {
      const reason = "they came when the drain of a stop was over";
      this.#track(this.#giveBack(held, reason, this.#receiver.untilBackMs));
      return;
    }
    const { wanted, unwanted, broken, error } = this.#sieve.sort(held);
    if (unwanted.length > 0) this.#track(this.#discard(unwanted));
    if (broken.length > 0) this.#leave(broken, error);
    this.#room.noteSizes(wanted);
    this.#ledger.wait(wanted);
    this.#gauge();
  }

  /** Messages that no pattern matches are deleted at once (filters §2), and take room until they are. */
  async #discard(unwanted: readonly HeldMessage[]): Promise<void> {
    const { telemetry, deployment } = this.#options;
    telemetry.count("filtered_out_events", deployment.mapping.name, unwanted.length);
    telemetry.mark("filtered messages deleted");
    this.#ledger.discard(unwanted);
    try {
      // plant: messages-that-no-pattern-matches-are-not-deleted
      await this.#settler.acknowledge(unwanted);
      this.#settledMessages += unwanted.length;
    } finally {
      // plant: what-was-filtered-out-keeps-its-bytes
      this.#ledger.letGo(unwanted);
    }
  }

  /** Each is given up alone: it comes again when its hold ends, until its queue gives it up too. */
  #leave(broken: readonly HeldMessage[], error: unknown): void {
    this.#givenUp.damaged(broken, error);
    this.#failed.add(broken, "it cannot be converted");
    this.#leftUntilMs = Math.max(this.#leftUntilMs, ...broken.map(({ holdUntilMs }) => holdUntilMs));
    // plant: messages-that-cannot-be-converted-keep-what-they-took
    this.#ledger.letGo(broken);
  }

  // Batches.

  #startBatches(): void {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs >= this.#startsUntilMs) return;
    while (this.#buffer.size > 0 && this.#isBatchDue(nowMs)) {
      if (this.#batches.size >= this.#places.forAll) {
        this.#scaling.saturated(nowMs);
        if (this.#batches.size >= this.#places.forAll) {
          if (this.#scaling.isAtCap) this.#options.telemetry.mark("batches at once at their cap");
          return;
        }
      }
      const batch = this.#buffer.take();
      if (batch.length === 0) {
        this.#options.telemetry.mark("group waits for the end of its batch");
        return;
      }
      this.#track(this.#run(batch));
    }
    // A queue with order holds nothing back to show that there is more.
    if (this.#room.isOrdered && this.#batches.size >= this.#places.forAll && !this.#receiver.isDry)
      this.#scaling.saturated(nowMs);
  }

  #isBatchDue(nowMs: number): boolean {
    if (this.#stop.signal.aborted) return true;
    // plant: messages-do-not-wait-for-their-batching-window
    return this.#buffer.isFull || nowMs >= this.#flushAtMs || this.#budget.room <= 0;
  }

  /** Monotonic end of the batching window of the oldest message that could go now. */
  get #flushAtMs(): number {
    const { oldestMs } = this.#buffer;
    if (oldestMs === undefined) return Number.POSITIVE_INFINITY;
    // plant: messages-wait-for-two-batching-windows
    return oldestMs + this.#options.deployment.mapping.batchingWindowMs;
  }

  #planFlush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { clock } = this.#options;
    const delayMs = this.#flushAtMs - clock.monotonic();
    if (delayMs === Number.POSITIVE_INFINITY || delayMs <= 0 || this.#stop.signal.aborted) return;
    this.#timer = clock.schedule(delayMs, () => this.#go());
  }

  async #run(batch: readonly HeldMessage[]): Promise<void> {
    const { deployment, clock, telemetry } = this.#options;
    const notes = new QueueBatchNotes(clock);
    this.#batches.set(batch, notes);
    try {
      // plant: messages-are-acknowledged-before-their-invocation
      const ending = await runQueueBatch(
        {
          ...this.#options,
          caller: this.#caller,
          ...deployment,
          tracer: this.#tracer,
          endSignal: this.#end.signal,
          callSignal: this.#calls.signal,
          slowDown: () => {
            if (this.#scaling.failed(clock.monotonic())) telemetry.mark("batches at once halved");
          },
          report: (problem, where) => this.#failures.report(problem, where),
          giveUp: (broken, error) => this.#givenUp.damaged(broken, error),
          acknowledge: async (done) => {
            if (done.length === 0) return;
            await this.#settler.acknowledge(done);
            this.#ledger.unhold(done);
          },
          notes,
        },
        batch,
      );
      this.#failed.add(ending.leave, notes.lastProblem ?? "the engine was stopped");
      await this.#settle(ending, notes);
    } finally {
      this.#buffer.freeGroups(batch);
      this.#ledger.letGo(batch);
      this.#batches.delete(batch);
    }
  }

  async #settle(ending: BatchEnding, notes: QueueBatchNotes): Promise<void> {
    const nowMs = this.#options.clock.monotonic();
    // A message whose hold is lost may run elsewhere by now, though it is done here: its group waits for that too.
    const lost = ending.acknowledge.filter((held) => !isHeldAt(held, nowMs));
    const failedGroups = new Set(
      [...ending.leave, ...ending.release, ...lost].flatMap(({ message }) => message.groupId ?? []),
    );
    // plant: what-waits-behind-a-failure-overtakes-it
    const behind = failedGroups.size === 0 ? [] : this.#buffer.takeGroups(failedGroups);
    if (behind.length > 0) this.#options.telemetry.mark("group given back behind a failure");
    if (!notes.wasSeen) this.#givenUp.unseen(ending.release, notes.lastProblem ?? "the mapping stops");
    this.#ledger.unhold([...ending.leave, ...ending.release]);
    this.#leftUntilMs = Math.max(
      this.#leftUntilMs,
      ending.release.length > 0 ? nowMs + ending.releaseAfterMs : nowMs,
      ...ending.leave.map(({ holdUntilMs }) => holdUntilMs),
    );
    await Promise.all([
      ending.acknowledging,
      ending.acknowledge.length === 0 ? undefined : this.#settler.acknowledge(ending.acknowledge),
      this.#settler.release(ending.release, Math.max(ending.releaseAfterMs, this.#whileStopped)),
      this.#giveBack(behind, "a message before them in their group failed"),
    ]);
    this.#settledMessages += ending.acknowledge.length;
  }

  /**
   * Holds that ended too early. Messages of a batch that runs end with it; those that wait are forgotten, and what
   * waits with them in their groups is given back: it must not overtake them when they come again.
   */
  #lose(lost: readonly HeldMessage[]): void {
    const waiting = new Set(this.#buffer.messages);
    const dropped = lost.filter((held) => waiting.has(held));
    const { telemetry } = this.#options;
    telemetry.mark(dropped.length < lost.length ? "hold lost in flight" : "hold lost while waiting");
    if (dropped.length === 0) return;
    this.#ledger.letGo(dropped);
    // plant: what-waits-behind-a-lost-message-overtakes-it
    const behind = this.#buffer.takeGroups(new Set(dropped.flatMap(({ message }) => message.groupId ?? [])));
    if (behind.length > 0) telemetry.mark("group given back behind a lost message");
    this.#track(this.#giveBack(behind, "a message before them in their group is lost"));
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
        this.#gauge();
        this.#go();
      });
    this.#running.add(tracked);
  }

  #gauge(): void {
    const { telemetry, deployment } = this.#options;
    telemetry.gauge("buffered_bytes", deployment.mapping.name, this.#budget.used);
    telemetry.gauge("buffered_records", deployment.mapping.name, this.#buffer.size);
    telemetry.gauge("queue_concurrency_limit", deployment.mapping.name, this.#places.forAll);
  }
}
