import { sleep } from "../lib/sleep.ts";
import { describeError } from "../model/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { SnapshotStore } from "../ports/snapshot-store.ts";
import { processOfLog } from "./logs/log-document.ts";
import type { ProcessSnapshot } from "./process-snapshot.ts";
import { readSnapshot } from "./snapshot-document.ts";
import { ASKED_FOR_MS } from "./snapshot-publisher.ts";

/** What all processes of the store say of themselves. Times are epoch milliseconds. */
export interface WholeView {
  readonly nowMs: number;
  /** This one first, then those that live, then those that are gone; the newest of them first. */
  readonly processes: readonly SeenProcess[];
  /** Why others could not be asked; `undefined`: they could. */
  readonly problem: string | undefined;
}

/**
 * `lives`: its beat goes on; `ended`: it has said its last word and ended in order; `gone`: its beat stands still, or
 * is not there any more: it was killed, or is cut off.
 */
export type ProcessStanding = "lives" | "ended" | "gone";

export interface SeenProcess {
  readonly snapshot: ProcessSnapshot;
  readonly isHere: boolean;
  readonly standing: ProcessStanding;
  /** Since its snapshot was made. */
  readonly ageMs: number;
}

/** As beats tell; `unknown`: no beat of it was seen. */
export type BeatStanding = "lives" | "gone" | "unknown";

export interface WholeViewOptions {
  readonly snapshots: SnapshotStore;
  readonly clock: Clock;
  readonly processId: string;
  /** This process, as it is now. */
  readonly own: () => ProcessSnapshot;
  readonly beat: (name: string) => BeatStanding;
}

/** A question counts for half a minute: it is not asked again before a third of that is over. */
const ASK_AGAIN_MS = 10_000;
/** Others say how they are within a look of theirs and a write. */
const PATIENCE_MS = 2_500;
const POLL_MS = 250;
/** Older than this it was not made since somebody asked. */
export const FRESH_MS = 5_000;
/** A beat comes every two seconds: whoever has written something and was not heard of for so long is gone. */
const UNHEARD_MS = 20_000;

/** Reads what all processes of the store say, this one with them, and has them say it while somebody looks. */
export class WholeViews {
  readonly #options: WholeViewOptions;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(options: WholeViewOptions) {
    this.#options = options;
  }

  /**
   * `isPatient`: waits, within `PATIENCE_MS`, until each process that lives has spoken lately. Never rejects: where the
   * store does not answer it is this process alone, with the problem.
   */
  async view(isPatient: boolean): Promise<WholeView> {
    const { clock } = this.#options;
    const startMs = clock.monotonic();
    try {
      await this.#ask();
      for (;;) {
        const seen = await this.#read();
        const isFresh = seen.every(({ standing, ageMs }) => standing !== "lives" || ageMs <= FRESH_MS);
        const isLate = clock.monotonic() - startMs >= PATIENCE_MS;
        if (!isPatient || isFresh || isLate) return this.#viewOf(seen, undefined);
        await sleep(clock, POLL_MS, NEVER);
      }
    } catch (error) {
      return this.#viewOf([], describeError(error));
    }
  }

  async #ask(): Promise<void> {
    const { snapshots, clock } = this.#options;
    const nowMs = clock.monotonic();
    if (nowMs - this.#askedMs < ASK_AGAIN_MS) return;
    this.#askedMs = nowMs;
    await snapshots.ask(Math.round(clock.now()) + ASKED_FOR_MS);
  }

  /** All but this process. */
  async #read(): Promise<readonly SeenProcess[]> {
    const { snapshots, clock, processId } = this.#options;
    const stored = await snapshots.read();
    const nowMs = clock.now();
    return stored.flatMap(({ processId: id, atMs, document }) => {
      if (id === processId || processOfLog(id) !== undefined) return [];
      const snapshot = readSnapshot(document);
      if (snapshot === undefined) return [];
      const ageMs = Math.max(0, nowMs - atMs);
      return [{ snapshot, isHere: false, standing: this.#standing(snapshot, ageMs), ageMs }];
    });
  }

  #standing({ isEnded, beatsAs }: ProcessSnapshot, ageMs: number): ProcessStanding {
    if (isEnded) return "ended";
    const beat = this.#options.beat(beatsAs);
    if (beat !== "unknown") return beat;
    return ageMs > UNHEARD_MS ? "gone" : "lives";
  }

  #viewOf(others: readonly SeenProcess[], problem: string | undefined): WholeView {
    const { own, clock } = this.#options;
    const here: SeenProcess = { snapshot: own(), isHere: true, standing: "lives", ageMs: 0 };
    const rank = ({ standing }: SeenProcess) => (standing === "lives" ? 0 : 1);
    const sorted = others.toSorted((a, b) => rank(a) - rank(b) || a.ageMs - b.ageMs);
    return { nowMs: clock.now(), processes: [here, ...sorted], problem };
  }
}

const NEVER = new AbortController().signal;
