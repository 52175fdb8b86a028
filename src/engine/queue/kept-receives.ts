import { scheduleAfter } from "../../lib/sleep.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { QueueMessage, QueueSource, Settlement } from "../../ports/queue-source.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { BatchPlaces } from "./batch-places.ts";
import type { Hold, OpenReceive, ReceiveOutcome } from "./open-receive.ts";

/** A mapping that begins again takes up what it left within this time. */
const KEPT_MS_MAX = 60_000;
/**
 * What has come is held for longer when this share of its hold is over: as long as its mapping drains, opens and
 * begins.
 */
// plant: what-an-update-kept-is-not-held-for-as-long-as-the-update-lasts
const PROLONG_SHARE = 1 / 2;
/** A hold that could not be prolonged is tried again when this share of its rest is over, and no sooner than this. */
const AGAIN_SHARE = 1 / 4;
const AGAIN_MS_MIN = 50;

/** What a worker leaves to the one that runs the same mapping next. */
export interface KeptWork {
  readonly receives: readonly OpenReceive[];
  readonly places: BatchPlaces;
}

export interface KeptReceivesOptions extends KeptWork {
  readonly source: QueueSource;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly release: (messages: readonly QueueMessage[], why: string) => Promise<void>;
}

interface Kept {
  open: OpenReceive;
  /** The hold of what has come. */
  hold: Hold | undefined;
  /** What has come, also while its hold is being prolonged. */
  messages: readonly QueueMessage[];
  notBeforeMs: number;
}

/**
 * Receives between the worker that asked for them and the one that runs the same mapping next. What nobody takes up in
 * time is released: it comes again.
 */
export class KeptReceives {
  readonly source: QueueSource;
  /** All have come back, and nothing of theirs goes through this source any more: it may be closed. */
  readonly back: Promise<void>;
  readonly #options: KeptReceivesOptions;
  readonly #kept: readonly Kept[];
  readonly #decided = Promise.withResolvers<void>();
  /** Monotonic: nobody comes for them any more. */
  readonly #lateMs: number;
  #timer: ScheduledCall | undefined;
  #isOver = false;
  #isLetGo = false;
  #placesGone: Promise<void> = Promise.resolve();

  constructor(options: KeptReceivesOptions) {
    this.#options = options;
    this.source = options.source;
    this.#lateMs = options.clock.monotonic() + KEPT_MS_MAX;
    this.#kept = options.receives.map((open) => ({
      open,
      hold: undefined,
      messages: open.answer?.kind === "given" ? open.answer.messages : [],
      notBeforeMs: 0,
    }));
    this.back = this.#decided.promise.then(async () => {
      await Promise.all(this.#kept.map(({ open }) => open.outcome));
    });
    for (const each of this.#kept) void this.#watch(each);
    this.#plan();
  }

  /** For the next worker of the same queue. */
  take(): KeptWork | undefined {
    if (this.#isOver) return undefined;
    this.#end();
    // They are the next worker's.
    this.#isLetGo = true;
    this.#decided.resolve();
    return { receives: this.#kept.map(({ open }) => open), places: this.#options.places };
  }

  /**
   * Nobody takes them up: what they bring goes back, once all are back; a receive that is still under way would get
   * again what another gives back, and each time is one too many. Never rejects.
   */
  async giveBack(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    this.#placesGone = this.#options.places.letGo();
    await Promise.all(this.#kept.map(({ open }) => open.outcome));
    await this.#release();
    this.#decided.resolve();
    await this.#placesGone;
  }

  /** Nobody waits any longer: what has come goes back now, and nothing is done with what comes later. */
  async letGo(): Promise<void> {
    await Promise.all([this.#release(), this.#placesGone]);
  }

  async #release(): Promise<void> {
    if (this.#isLetGo) return;
    this.#isLetGo = true;
    // plant: what-is-being-prolonged-is-not-given-back
    const messages = this.#kept.flatMap((each) => each.messages);
    if (messages.length === 0) return;
    this.#options.telemetry.mark("kept receives given back");
    await this.#options.release(messages, "their mapping did not start again in time");
  }

  /** Whoever stopped us may close the store now. */
  abandon(): void {
    this.#options.places.abandon();
  }

  #end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  async #watch(kept: Kept): Promise<void> {
    const outcome = await kept.open.outcome;
    kept.open = { ...kept.open, answer: outcome, prolonging: undefined };
    kept.messages = outcome.kind === "given" ? outcome.messages : [];
    if (this.#isOver) return;
    if (outcome.kind === "given" && outcome.messages.length > 0) kept.hold = outcome.hold ?? kept.open;
    this.#plan();
  }

  #plan(): void {
    if (this.#isOver) return;
    const { clock } = this.#options;
    this.#timer?.cancel();
    const atMs = Math.min(this.#lateMs, ...this.#kept.map(prolongAtMs));
    this.#timer = scheduleAfter(clock, Math.max(0, atMs - clock.monotonic()), () => this.#look());
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs >= this.#lateMs) {
      void this.giveBack();
      return;
    }
    for (const kept of this.#kept) {
      if (kept.hold === undefined || prolongAtMs(kept) > nowMs) continue;
      // Whoever takes it up now waits for the answer.
      const outcome = this.#prolonged(kept.open, kept.hold);
      kept.open = { ...kept.open, answer: undefined, prolonging: kept.messages, outcome };
      kept.hold = undefined;
      kept.notBeforeMs = nowMs;
      void this.#watch(kept);
    }
    this.#plan();
  }

  async #prolonged(open: OpenReceive, hold: Hold): Promise<ReceiveOutcome> {
    const { source, clock, telemetry } = this.#options;
    const before = await open.outcome;
    if (before.kind !== "given") return before;
    const askedMs = clock.monotonic();
    const { holdMs } = open;
    try {
      const answers = await source.extend(before.messages, holdMs);
      telemetry.mark("kept messages held for longer");
      const messages = await this.#inOrder(before.messages, answers);
      const isAll = before.messages.every((_, index) => (answers[index] ?? "failed") !== "failed");
      return { kind: "given", messages, hold: isAll ? { askedMs, holdMs } : hold };
    } catch {
      // Tried again while the hold lasts; whoever takes them up knows how long that is.
      return { ...before, hold };
    }
  }

  /** Without the lost, and without what stands behind one of them in its group: that is not to overtake it. */
  async #inOrder(
    messages: readonly QueueMessage[],
    answers: readonly (Settlement | undefined)[],
  ): Promise<readonly QueueMessage[]> {
    const { telemetry, release } = this.#options;
    const broken = new Set<string>();
    const behind: QueueMessage[] = [];
    const kept = messages.filter((message, index) => {
      const { groupId } = message;
      if (answers[index] === "lost") {
        if (groupId !== undefined) broken.add(groupId);
        return false;
      }
      // plant: what-is-kept-behind-a-lost-message-overtakes-it
      if (groupId === undefined || !broken.has(groupId)) return true;
      behind.push(message);
      return false;
    });
    if (behind.length > 0) {
      telemetry.mark("group given back behind a lost message");
      await release(behind, "a message before them in their group is lost");
    }
    return kept;
  }
}

function prolongAtMs({ hold, notBeforeMs }: Kept): number {
  if (hold === undefined) return Number.POSITIVE_INFINITY;
  const { askedMs, holdMs } = hold;
  const endMs = askedMs + holdMs;
  if (notBeforeMs >= endMs) return Number.POSITIVE_INFINITY;
  const dueMs = askedMs + holdMs * PROLONG_SHARE;
  if (notBeforeMs < dueMs) return dueMs;
  return notBeforeMs + Math.max(AGAIN_MS_MIN, (endMs - notBeforeMs) * AGAIN_SHARE);
}
