import { MillraceError } from "../model/errors.ts";
import type { ItemState, Redrive, RedriveState } from "../model/redrive.ts";
import type { Clock } from "../ports/clock.ts";
import type { ListedItem, ParkingStore, RedriveChange } from "../ports/parking-store.ts";
import type { Random } from "../ports/random.ts";
import type { RedriveRefusal, RedriveStatus, Redrives, WantedRedrive } from "../ports/redrives.ts";

export interface RedriveBookOptions {
  readonly store: ParkingStore;
  readonly clock: Clock;
  readonly random: Random;
}

/** Redrives that are over and concluded: more are forgotten, the oldest first. */
const KEPT_MAX = 100;
/** A drainer changes the same rows: once, when it begins, and once at the end. */
const TRIES_MAX = 10;

/**
 * Redrives as people make and change them: rows of the store, which the mapping's drainer looks at every second. What
 * is in them is its `RedriveFeed`'s.
 */
export class RedriveBook implements Redrives {
  readonly #store: ParkingStore;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor({ store, clock, random }: RedriveBookOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
  }

  async create(wanted: WantedRedrive): Promise<RedriveStatus | "exists"> {
    const { id = this.#random.uuid(), ...rest } = wanted;
    const made = await this.#store.create({ ...rest, id, createdMs: Math.round(this.#clock.now()) });
    if (made === "exists") return made;
    await this.#prune();
    return await this.#status(made);
  }

  async list(): Promise<readonly RedriveStatus[]> {
    return await this.#statuses(await this.#store.list());
  }

  async pending(): Promise<readonly RedriveStatus[]> {
    return await this.#statuses(await this.#store.pending());
  }

  async get(idOrName: string): Promise<RedriveStatus | undefined> {
    const redrive = await this.#store.get(idOrName);
    return redrive === undefined ? undefined : await this.#status(redrive);
  }

  pause(idOrName: string) {
    return this.#change(idOrName, ["planned", "running"], { state: "paused" });
  }

  resume(idOrName: string) {
    return this.#change(idOrName, ["paused"], { state: "running" });
  }

  cancel(idOrName: string) {
    const endedMs = Math.round(this.#clock.now());
    return this.#change(idOrName, ["planned", "running", "paused", "done"], { state: "cancelled", endedMs });
  }

  setRate(idOrName: string, rate: number | undefined) {
    return this.#change(idOrName, ["planned", "running", "paused"], { rate });
  }

  async retryUncertain(idOrName: string): Promise<RedriveStatus | RedriveRefusal> {
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const redrive = await this.#store.get(idOrName);
      if (redrive === undefined) return { kind: "notFound" };
      const retried = await this.#store.retryUncertain(redrive.id, redrive.version);
      if (retried === undefined) return { kind: "state", state: redrive.state };
      if (retried !== "stale") return await this.#status(retried);
    }
    throw changedByOthers(idOrName);
  }

  items(id: string, state: ItemState, after: number, max: number): Promise<readonly ListedItem[]> {
    return this.#store.items(id, state, after, max);
  }

  /** What it is already is no fault: the answer to the same wish may have been lost. */
  async #change(
    idOrName: string,
    from: readonly RedriveState[],
    change: RedriveChange,
  ): Promise<RedriveStatus | RedriveRefusal> {
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const redrive = await this.#store.get(idOrName);
      if (redrive === undefined) return { kind: "notFound" };
      const { id, state, version } = redrive;
      if (change.state !== undefined && isAlready(state, change.state)) return await this.#status(redrive);
      if (!from.includes(state) || redrive.isConcluded) return { kind: "state", state };
      const changed = await this.#store.change(id, version, change);
      if (changed !== "stale") return await this.#status(changed);
    }
    throw changedByOthers(idOrName);
  }

  async #statuses(redrives: readonly Redrive[]): Promise<readonly RedriveStatus[]> {
    const statuses: RedriveStatus[] = [];
    for (const redrive of redrives) statuses.push(await this.#status(redrive));
    return statuses;
  }

  async #status(redrive: Redrive): Promise<RedriveStatus> {
    const counts = await this.#store.counts(redrive.id);
    return { ...redrive, counts: counts ?? { ...NOTHING, selected: redrive.selected } };
  }

  async #prune(): Promise<void> {
    const over = (await this.#store.list(["done", "cancelled"])).filter(({ isConcluded }) => isConcluded);
    for (const { id } of over.slice(KEPT_MAX)) await this.#store.remove(id);
  }
}

function changedByOthers(idOrName: string): MillraceError {
  const message = `The redrive ${idOrName} was changed by others each time that it was to be changed. Try again.`;
  return new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", message);
}

function isAlready(state: RedriveState, wanted: RedriveState): boolean {
  return state === wanted || (wanted === "running" && state === "planned");
}

const NOTHING = {
  loaded: 0,
  waiting: 0,
  started: 0,
  done: 0,
  failed: 0,
  held: 0,
  gone: 0,
  uncertain: 0,
};
