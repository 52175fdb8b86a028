import type { Clock } from "../../ports/clock.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { FailedMessage } from "../explanation.ts";
import { type BatchEnding, groupsHeldBack } from "./batch-ending.ts";
import { FailedMessages } from "./failed-messages.ts";
import type { GivenUpLog } from "./given-up-log.ts";
import type { HeldMessage } from "./held-message.ts";
import type { MessageLedger } from "./message-ledger.ts";
import type { OpenReceive } from "./open-receive.ts";
import type { QueueBatchNotes } from "./queue-batch-notes.ts";
import type { RunningWork } from "./running-work.ts";
import type { Settler } from "./settler.ts";

export interface MessageSettlementOptions {
  readonly mapping: string;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly ledger: MessageLedger;
  readonly settler: Settler;
  readonly givenUp: GivenUpLog;
  readonly work: RunningWork;
  /** Nothing more is started. */
  isOver(): boolean;
  /** What is given back sooner may come again by a receive of ours. */
  untilBackMs(): number;
  /** Something is out of our hands. */
  onLess(): void;
}

/** Brings messages in hand to their end: off their queue, back to it, or left alone until they come again. */
export class MessageSettlement {
  readonly #options: MessageSettlementOptions;
  readonly #failed = new FailedMessages();
  #settled = 0;
  #leftUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: MessageSettlementOptions) {
    this.#options = options;
  }

  /** Messages that are off their queue. */
  get settled(): number {
    return this.#settled;
  }

  /** Monotonic: when all messages that failed here are visible again. */
  get leftUntilMs(): number {
    return this.#leftUntilMs;
  }

  explainFailed(epochMs: (monotonicMs: number) => number): readonly FailedMessage[] {
    return this.#failed.explain(this.#options.clock.monotonic(), epochMs);
  }

  /** They wait here, and no function has seen them. */
  async giveBack(waiting: readonly HeldMessage[], reason: string, afterMs = 0): Promise<void> {
    if (waiting.length === 0) return;
    const { givenUp, ledger, settler, onLess } = this.#options;
    givenUp.unseen(waiting, reason);
    ledger.letGo(waiting);
    onLess();
    await settler.release(waiting, afterMs);
  }

  /** All that waits goes back, and comes again by none of the receives that are under way. */
  giveBackWaiting(reason: string): Promise<void> {
    const { ledger, untilBackMs } = this.#options;
    return this.giveBack(ledger.buffer.messages, reason, untilBackMs());
  }

  /** What came for the worker before, and whose hold is being prolonged still, goes back as what waits does. */
  async giveBackProlonging(receives: readonly OpenReceive[], reason: string): Promise<void> {
    const { clock, ledger, untilBackMs } = this.#options;
    const nowMs = clock.monotonic();
    const held = receives.flatMap((open) =>
      (open.prolonging ?? []).map((message) => ledger.take(message, nowMs, open)),
    );
    await this.giveBack(held, reason, untilBackMs());
  }

  /** Messages that no pattern matches are deleted at once (filters §2), and take room until they are. */
  async discard(unwanted: readonly HeldMessage[]): Promise<void> {
    const { mapping, telemetry, ledger, settler } = this.#options;
    telemetry.count("filtered_out_events", mapping, unwanted.length);
    telemetry.mark("filtered messages deleted");
    ledger.discard(unwanted);
    try {
      // plant: messages-that-no-pattern-matches-are-not-deleted
      await settler.acknowledge(unwanted);
      this.#settled += unwanted.length;
    } finally {
      // plant: what-was-filtered-out-keeps-its-bytes
      ledger.letGo(unwanted);
    }
  }

  /** Each is given up alone: it comes again when its hold ends, until its queue gives it up too. */
  leave(broken: readonly HeldMessage[], error: unknown): void {
    const { givenUp, ledger, settler, work } = this.#options;
    givenUp.damaged(broken, error);
    const telling = settler.fail(broken);
    if (telling !== undefined) work.track(telling);
    this.#failed.add(broken, "it cannot be converted");
    this.#leftUntilMs = Math.max(this.#leftUntilMs, ...broken.map(({ holdUntilMs }) => holdUntilMs));
    // plant: messages-that-cannot-be-converted-keep-what-they-took
    ledger.letGo(broken);
  }

  /** They are done while others of their batch still run: their holds must not wait for those. */
  async acknowledgeEarly(done: readonly HeldMessage[]): Promise<void> {
    if (done.length === 0) return;
    await this.#options.settler.acknowledge(done);
    this.#options.ledger.unhold(done);
  }

  /** What a batch came to. What waits behind a failure in its group goes back with it. */
  async settle(ending: BatchEnding, notes: QueueBatchNotes): Promise<void> {
    const { clock, telemetry, ledger, settler, givenUp } = this.#options;
    const { lastProblem = "the engine was stopped", lastErrorId, lastFailure } = notes;
    // Before what waits behind them goes back.
    const telling = settler.fail(ending.leave);
    // plant: a-message-that-was-settled-is-told-as-failed
    this.#failed.add(ending.leave, lastProblem, lastErrorId, lastFailure);
    const nowMs = clock.monotonic();
    const failedGroups = groupsHeldBack(ending, nowMs);
    // plant: what-waits-behind-a-failure-overtakes-it
    const behind = failedGroups.size === 0 ? [] : ledger.buffer.takeGroups(failedGroups);
    if (behind.length > 0) telemetry.mark("group given back behind a failure");
    if (!notes.wasSeen) givenUp.unseen(ending.release, notes.lastProblem ?? "the mapping stops");
    ledger.unhold([...ending.leave, ...ending.release]);
    this.#leftUntilMs = Math.max(
      this.#leftUntilMs,
      ending.release.length > 0 ? nowMs + ending.releaseAfterMs : nowMs,
      ...ending.leave.map(({ holdUntilMs }) => holdUntilMs),
    );
    await Promise.all([
      telling,
      ending.acknowledging,
      ending.acknowledge.length === 0 ? undefined : settler.acknowledge(ending.acknowledge),
      // plant: a-message-is-deleted-and-given-back
      settler.release(ending.release, Math.max(ending.releaseAfterMs, this.#whileStopped)),
      this.giveBack(behind, "a message before them in their group failed"),
    ]);
    this.#settled += ending.acknowledge.length;
  }

  /**
   * Holds that ended too early. Messages of a batch that runs end with it; those that wait are forgotten, and what
   * waits with them in their groups is given back: it must not overtake them when they come again.
   */
  lose(lost: readonly HeldMessage[]): void {
    const { telemetry, ledger, work } = this.#options;
    const waiting = new Set(ledger.buffer.messages);
    const dropped = lost.filter((held) => waiting.has(held));
    telemetry.mark(dropped.length < lost.length ? "hold lost in flight" : "hold lost while waiting");
    if (dropped.length === 0) return;
    ledger.letGo(dropped);
    // plant: what-waits-behind-a-lost-message-overtakes-it
    const behind = ledger.buffer.takeGroups(new Set(dropped.flatMap(({ message }) => message.groupId ?? [])));
    if (behind.length > 0) telemetry.mark("group given back behind a lost message");
    work.track(this.giveBack(behind, "a message before them in their group is lost"));
  }

  /** Nothing that goes back at the end of a stop is to come again by a receive of ours. */
  get #whileStopped(): number {
    return this.#options.isOver() ? this.#options.untilBackMs() : 0;
  }
}
