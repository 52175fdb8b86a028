import { describeError } from "../../model/errors.ts";
import type { QueueMessage } from "../../ports/queue-source.ts";
import type { MappingStatus, QueueDeployment } from "../engine.ts";
import type { QueueExplanation } from "../explanation.ts";
import { FilterNotes } from "../filter-notes.ts";
import { epochOf } from "../invoke/attempt-notes.ts";
import { CALL_FAILED } from "../invoke/failure-log.ts";
import { silenceOf } from "../stream/source-problems.ts";
import { RENEWALS, SHARE } from "./concurrency-share.ts";
import type { KeptWork } from "./kept-receives.ts";
import { MessageSieve } from "./message-sieve.ts";
import type { Hold } from "./open-receive.ts";
import { assembleQueue, type QueueParts, type QueueWorkerOptions } from "./queue-parts.ts";

/** How many of each kind an explanation shows. */
const EXPLAINED_MAX = 100;
const EXPLAINED_TENANTS_MAX = 10;

/** Runs one queue mapping in this process: receives, batches, invokes, settles (queues §2). */
export class QueueWorker {
  readonly #options: QueueWorkerOptions;
  readonly #parts: QueueParts;
  readonly #sieve: MessageSieve;
  readonly #filtered: FilterNotes;
  #state: MappingStatus["state"] = "Enabled";
  #isStopNear = false;

  constructor(options: QueueWorkerOptions) {
    this.#options = options;
    const { mapping, source } = options.deployment;
    this.#filtered = new FilterNotes(options.clock);
    this.#sieve = new MessageSieve(mapping, source.events);
    this.#parts = assembleQueue(options, {
      onReceived: (messages, hold, adoptedMax) => this.#received(messages, hold, adoptedMax),
      onPlaces: (mayWait) => this.#placesChanged(mayWait),
      onReady: () => this.#go(),
      onAmount: () => this.#gauge(),
      onDefect: (error) => this.#foundDefect(error),
      isStopNear: () => this.#isStopNear,
    });
  }

  /** `kept`: of the worker that ran this mapping before; what its receives bring is run here. */
  start(kept?: KeptWork): void {
    const { places, receiver } = this.#parts;
    this.#gauge();
    if (kept !== undefined) {
      this.#options.telemetry.mark("receives taken over from an earlier configuration");
      places.adopt(kept.places);
    }
    places.start();
    receiver.adopt(kept?.receives ?? []);
    this.#go();
  }

  get deployment(): QueueDeployment {
    return this.#options.deployment;
  }

  /** A stop comes soon: it must not wait long for receives that are asked for from now on. */
  expectStop(): void {
    this.#isStopNear = true;
  }

  /**
   * What is under way is the next worker's, with the places to run what it brings: this one does not wait for it. To be
   * called before `stop`.
   */
  handOver(): KeptWork {
    const { places, receiver } = this.#parts;
    const receives = receiver.handOver();
    if (receives.length > 0) places.keep();
    return { receives, places };
  }

  /**
   * Receives nothing new; what is under way comes back, and is run as long as the drain lasts (principle 7), or is
   * given back after `startsMs`, when others may count on it that nothing starts here any more.
   */
  async stop(drainMs: number, startsMs = drainMs): Promise<void> {
    const { drain, ledger, receiver } = this.#parts;
    if (drain.stopSignal.aborted) return;
    this.#state = "Disabling";
    if (ledger.buffer.size > 0 || receiver.running > 0)
      this.#options.telemetry.mark("stopped with messages to run");
    const { invoker } = this.#options;
    await drain.run({ ...this.#parts, invoker, go: () => this.#go() }, drainMs, startsMs);
    this.#close();
    this.#state = "Disabled";
  }

  /** A stop is under way, and another is asked for that may be sooner: its drain holds too. */
  hurry(drainMs: number): void {
    this.#parts.drain.hurry(drainMs);
  }

  #close(): void {
    const { telemetry, deployment } = this.#options;
    const isAllDone = this.#parts.work.size === 0;
    const left = this.#closeLedger();
    this.#gauge();
    if (left === 0 || !isAllDone) return;
    // Given back now; but whoever had them forgot to.
    telemetry.count("forgotten_messages", deployment.mapping.name, left);
    const message = "messages were still in hand when all work of their mapping had ended: a defect";
    telemetry.log("error", message, { mapping: deployment.mapping.name, messages: left });
  }

  /** A stop comes to its end whatever it finds. */
  #closeLedger(): number {
    try {
      return this.#parts.ledger.close();
    } catch (error) {
      this.#foundDefect(error);
      return 0;
    }
  }

  status(): MappingStatus {
    const { uuid, name } = this.#options.deployment.mapping;
    const { receiver, work, ledger, failures, problems } = this.#parts;
    const isShut = this.#options.invoker.shut(this.deployment.mapping.functionArn) !== undefined;
    const caughtUp = receiver.isDry && work.size === 0 && ledger.buffer.size === 0;
    const lastProcessingResult =
      problems.current ??
      silenceOf("the queue", receiver.silentMs) ??
      (isShut ? CALL_FAILED : failures.lastResult);
    const oldestAgeMs = ledger.oldestAgeMs() ?? 0;
    return { uuid, name, state: this.#state, lastProcessingResult, oldestAgeMs, shards: [], caughtUp };
  }

  explain(): QueueExplanation {
    const { deployment, invoker, clock } = this.#options;
    const { drain, work, places, ledger, settlement, receiver, window, batches } = this.#parts;
    const epochMs = epochOf(clock);
    return {
      kind: "queue",
      function: invoker.explain(deployment.mapping.name, deployment.mapping.functionArn),
      batchesMax: places.forAll,
      runningBatches: batches.size,
      waitingMessages: ledger.buffer.size,
      settledMessages: settlement.settled,
      settling: work.size - batches.size,
      isStopping: drain.stopSignal.aborted,
      share: places.share,
      filteredOut: this.#filtered.explain(epochMs),
      deadLetter: deployment.source.description.deadLetter,
      sharing: this.#parts.problems.lookFailure([SHARE, RENEWALS]),
      fillingUntilMs: ledger.buffer.oldestMs === undefined ? undefined : epochMs(window.endMs),
      receiving: receiver.explain(epochMs),
      batches: batches.explain(EXPLAINED_MAX),
      waitingGroups: ledger.buffer.groups(EXPLAINED_MAX),
      failedMessages: settlement.explainFailed(epochMs),
      tenants: ledger.buffer.explainTenants(EXPLAINED_TENANTS_MAX),
    };
  }

  /** Starts what may start: batches first, so that receives see how much room they leave. */
  #go(): void {
    const { drain, work, places, ledger, receiver, window, batches } = this.#parts;
    if (!drain.endSignal.aborted) {
      batches.start();
      receiver.go();
      window.plan();
    }
    places.lookAtHandovers();
    // plant: a-stop-does-not-wait-for-receives-that-are-under-way
    const isDrained = work.size === 0 && ledger.buffer.size === 0 && receiver.running === 0;
    if (isDrained) drain.drained();
  }

  /** Places that were lost did not come back: what waits is for those who have one. */
  #placesChanged(mayWait: boolean): void {
    const { work, ledger, settlement } = this.#parts;
    // plant: messages-wait-for-a-place-that-never-comes
    if (!mayWait && ledger.buffer.size > 0) {
      this.#options.telemetry.mark("messages given back without a place to run");
      work.track(settlement.giveBackWaiting("other processes have all places of the shared maximum"));
    }
    this.#gauge();
    this.#go();
  }

  #received(messages: readonly QueueMessage[], hold: Hold, adoptedMax: number): void {
    // Told when the drain ended; the source may be closed by now.
    if (this.#state === "Disabled") return;
    const { drain, work, ledger, settlement, room, receiver } = this.#parts;
    const receivedMs = this.#options.clock.monotonic();
    const together = room.isOrdered ? { adoptedMax, waiting: 0 } : undefined;
    const held = messages.map((message) => ledger.take(message, receivedMs, hold, together));
    if (drain.isOver) {
      const reason = "they came when the drain of a stop was over";
      work.track(settlement.giveBack(held, reason, receiver.untilBackMs));
      return;
    }
    const { wanted, unwanted, broken, error } = this.#sieve.sort(held);
    this.#filtered.saw(wanted.length, unwanted.length);
    if (unwanted.length > 0) work.track(settlement.discard(unwanted));
    if (broken.length > 0) settlement.leave(broken, error);
    room.noteSizes(wanted);
    ledger.wait(wanted);
    this.#gauge();
  }

  #foundDefect(error: unknown): void {
    const { telemetry, deployment } = this.#options;
    const message = "work on a queue stopped on a defect; its messages come again";
    telemetry.log("error", message, { mapping: deployment.mapping.name, error: describeError(error) });
    this.#state = "Failed";
  }

  #gauge(): void {
    const { telemetry, deployment } = this.#options;
    const { ledger, places } = this.#parts;
    telemetry.gauge("buffered_bytes", deployment.mapping.name, ledger.bytes);
    telemetry.gauge("buffered_records", deployment.mapping.name, ledger.buffer.size);
    telemetry.gauge("queue_concurrency_limit", deployment.mapping.name, places.forAll);
  }
}
