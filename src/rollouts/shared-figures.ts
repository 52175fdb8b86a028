import type { CallFigures } from "../ports/call-figures.ts";
import type { CellStore } from "../ports/cell-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Membership } from "../ports/membership.ts";
import { figuresIn, writeFigures } from "./figures-document.ts";
import { figuresTogether, type RolloutFigures } from "./rollout-figures.ts";

/** How often a process says how the calls of a new version go. */
export const TELL_MS = 5_000;
/** A process that lives and has not said anything for so long: what it would say is unknown. */
const UNKNOWN_MS = 15_000;

export interface SharedFiguresOptions {
  readonly cells: CellStore;
  readonly clock: Clock;
  readonly membership: Membership;
  /** What this process has to say, now. */
  readonly own: (rolloutId: string) => RolloutFigures;
  readonly sum: (figures: readonly CallFigures[]) => CallFigures;
}

/** `isWhole`: every process that lives has said lately how its calls went. */
export interface KnownFigures extends RolloutFigures {
  readonly isWhole: boolean;
}

interface Sighting {
  readonly revision: number;
  /** When this revision was first seen, by our monotonic clock. */
  readonly seenMs: number;
}

/** How the calls of a version that a rollout brings go in all processes, each of which says so in a cell of its own. */
export class SharedFigures {
  readonly #options: SharedFiguresOptions;
  /** By cell. */
  readonly #sightings = new Map<string, Sighting>();
  /** By rollout: when this process said something last. */
  readonly #toldMs = new Map<string, number>();

  constructor(options: SharedFiguresOptions) {
    this.#options = options;
  }

  /**
   * Says how calls went here, when it is time, and resolves to what all processes say together. Rejects when the store
   * does.
   */
  async look(rolloutId: string): Promise<KnownFigures> {
    const { cells, clock, membership, own, sum } = this.#options;
    const prefix = `rollout/${rolloutId}/`;
    const mine = `${prefix}${membership.processId}`;
    let found = await cells.read(prefix);
    const nowMs = clock.monotonic();
    if (nowMs - (this.#toldMs.get(rolloutId) ?? Number.NEGATIVE_INFINITY) >= TELL_MS) {
      const revision = found.find(({ name }) => name === mine)?.revision ?? 0;
      // The count makes each telling another one, also while nothing is called.
      const document = writeFigures(own(rolloutId), revision);
      const written = await cells.swap(mine, revision, document);
      if (written.kind === "swapped") this.#toldMs.set(rolloutId, nowMs);
      found = await cells.read(prefix);
    }
    const living = found.filter(({ name }) => !membership.isGone(name.slice(prefix.length)));
    const fresh = living.filter((cell) => this.#isFresh(cell, nowMs));
    // plant: figures-of-a-dead-process-count-as-zero
    const isWhole = fresh.length === living.length && fresh.length >= membership.living;
    const told = fresh.flatMap(({ document }) => figuresIn(document) ?? []);
    return { ...figuresTogether(told, sum), isWhole };
  }

  /** The rollout has ended: nothing of it is kept. Rejects when the store does. */
  async forget(rolloutId: string): Promise<void> {
    const { cells } = this.#options;
    this.#toldMs.delete(rolloutId);
    const prefix = `rollout/${rolloutId}/`;
    for (const { name, revision } of await cells.read(prefix)) {
      this.#sightings.delete(name);
      await cells.swap(name, revision, undefined);
    }
  }

  #isFresh({ name, revision }: { readonly name: string; readonly revision: number }, nowMs: number): boolean {
    const known = this.#sightings.get(name);
    if (known?.revision === revision) return nowMs - known.seenMs < UNKNOWN_MS;
    this.#sightings.set(name, { revision, seenMs: nowMs });
    return true;
  }
}
