import { backoffMs } from "../lib/back-off.ts";
import type { RepeatedLines } from "../lib/repeated-lines.ts";
import { sleep } from "../lib/sleep.ts";
import { describeError } from "../model/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Cluster, ClusterChange, ClusterObject, ClusterPlace } from "../ports/cluster.ts";
import type { Random } from "../ports/random.ts";

export interface WatchedObjectsOptions {
  readonly cluster: Cluster;
  readonly place: ClusterPlace;
  readonly clock: Clock;
  readonly random: Random;
  readonly lines: RepeatedLines;
  /** Aborts when nothing is watched any more. */
  readonly signal: AbortSignal;
  /** An object is new, is written otherwise, or is to be deleted. */
  onChange(): void;
}

/** Away for a moment or for an hour: it is asked again soon, by all that watch, and not by all at once. */
const LIMITS = { backoffBaseMs: 500, backoffCapMs: 5_000 };
/** A server that ends each watch at once is not asked without a pause. */
const SHORT_WATCH_MS = 1_000;

/**
 * The objects of one kind in one namespace, as the API server told them last. While it is away they stay as they were;
 * once it is back the watch goes on where it was, or begins anew with a list.
 */
export class WatchedObjects {
  readonly #options: WatchedObjectsOptions;
  /** By namespace and name. */
  #objects = new Map<string, ClusterObject>();
  #version: string | undefined;
  #isKnown = false;
  #trouble: string | undefined;

  constructor(options: WatchedObjectsOptions) {
    this.#options = options;
  }

  /** They were listed once: what is not among them is not there. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  get objects(): Iterable<ClusterObject> {
    return this.#objects.values();
  }

  /** Why the server cannot be asked now; `undefined`: it can. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Resolves when its signal has aborted. Never rejects. */
  async run(): Promise<void> {
    const { signal, clock, random, lines, place } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const beganMs = clock.monotonic();
      try {
        if (this.#version === undefined) await this.#list();
        const since = this.#version;
        if (since !== undefined) await this.#watch(since);
        failures = 0;
        if (clock.monotonic() - beganMs < SHORT_WATCH_MS) await sleep(clock, SHORT_WATCH_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        this.#trouble = describeError(error);
        const fields = { resources: `${place.plural} in ${place.namespace}`, error: this.#trouble };
        lines.write(
          "warn",
          "custom resources cannot be watched; what was known of them stays in force",
          fields,
        );
        await sleep(clock, backoffMs(failures, LIMITS, random), signal);
      }
    }
  }

  async #list(): Promise<void> {
    const { cluster, place, signal, onChange } = this.#options;
    const { objects, version } = await cluster.list(place, signal);
    const listed = new Map(objects.map((object) => [idOf(object), object]));
    const isSame =
      this.#isKnown &&
      listed.size === this.#objects.size &&
      objects.every((object) => isWrittenAlike(this.#objects.get(idOf(object)), object));
    this.#trouble = undefined;
    this.#objects = listed;
    this.#version = version;
    this.#isKnown = true;
    if (!isSame) onChange();
  }

  async #watch(since: string): Promise<void> {
    const { cluster, place, signal } = this.#options;
    const watch = { since, onChange: (change: ClusterChange) => this.#take(change) };
    const ended = await cluster.watch(place, watch, signal);
    this.#trouble = undefined;
    // plant: a-watch-that-is-too-old-goes-on-where-it-was
    if (ended === "gone") this.#version = undefined;
  }

  #take({ kind, object }: ClusterChange): void {
    this.#trouble = undefined;
    this.#version = object.metadata.resourceVersion;
    if (kind === "mark") return;
    const id = idOf(object);
    const before = this.#objects.get(id);
    if (kind === "put") this.#objects.set(id, object);
    else this.#objects.delete(id);
    if (kind === "deleted" || !isWrittenAlike(before, object)) this.#options.onChange();
  }
}

function idOf({ metadata }: ClusterObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** Nothing but its status or its labels is another: the server counts what users write in `generation`. */
function isWrittenAlike(before: ClusterObject | undefined, { metadata }: ClusterObject): boolean {
  const known = before?.metadata;
  return (
    known?.uid === metadata.uid &&
    known.generation === metadata.generation &&
    known.deletionTimestamp === metadata.deletionTimestamp
  );
}
