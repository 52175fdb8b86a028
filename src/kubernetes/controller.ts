import { RepeatedLines } from "../lib/repeated-lines.ts";
import { WakeableLoop } from "../lib/wakeable-loop.ts";
import { CUSTOM_KINDS, FINALIZER } from "../manifests/custom-kinds.ts";
import type { Manifests } from "../manifests/load-manifests.ts";
import type { MappingContext } from "../manifests/mapping-checks.ts";
import { describeError } from "../model/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Cluster, ClusterValueReader, ObjectRef } from "../ports/cluster.ts";
import type { Random } from "../ports/random.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { FollowedValues } from "./followed-values.ts";
import { type CustomObject, keyOf, manifestsOf, type ObjectFault } from "./object-manifests.ts";
import { differenceOf, replacing, type Standing, statusOf } from "./object-status.ts";
import { type Plane, standingsOf } from "./plane-standings.ts";
import type { ValueFiles } from "./value-files.ts";
import { WatchedObjects } from "./watched-objects.ts";

export interface ControllerOptions {
  readonly cluster: Cluster;
  readonly values: ClusterValueReader;
  /** Where what it reads of Secrets and ConfigMaps is kept. */
  readonly files: ValueFiles;
  readonly namespaces: readonly string[];
  /** The set that the objects are, in the store. */
  readonly set: string;
  readonly context: Omit<MappingContext, "nowMs">;
  /** What relative paths in objects start from. */
  readonly folder: string;
  readonly plane: () => Plane | undefined;
  /** Has this process run these from now on. @throws MillraceError */
  readonly apply: (manifests: Manifests) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Pick<Telemetry, "log">;
}

/** How soon a change is taken; several that come together are taken as one. */
const LOOK_MS = 250;
/** How often objects are told how they stand. */
const TELL_MS = 2_000;
/** How often Secrets and ConfigMaps that objects name are asked for anew. */
const FOLLOW_MS = 10_000;
/** Figures alone, such as lag, are told that often. */
const FIGURES_MS = 30_000;
/** Writes of one turn: the server is not ours alone. */
const WRITES_MAX = 50;

interface Known {
  readonly kind: CustomObject["kind"];
  readonly plural: string;
  readonly watched: WatchedObjects;
}

/**
 * Runs the custom resources of some namespaces: what their objects declare is a set of manifests, which this process
 * applies whenever they change; how each stands is written into its status. While the API server is away what was known
 * of them stays in force. Several processes do so side by side: the rows of the store are what they agree by.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #stopping = new AbortController();
  readonly #lines: RepeatedLines;
  readonly #watched: readonly Known[];
  readonly #values: FollowedValues;
  readonly #loop: WakeableLoop;
  #running: Promise<unknown> = Promise.resolve();
  #isChanged = true;
  #faults: ReadonlyMap<string, ObjectFault> = new Map();
  #leaving: ReadonlySet<string> = new Set();
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #followedMs = Number.NEGATIVE_INFINITY;
  #toldMs = Number.NEGATIVE_INFINITY;
  #figuresMs = Number.NEGATIVE_INFINITY;

  constructor(options: ControllerOptions) {
    const { cluster, namespaces, clock, random, telemetry } = options;
    this.#options = options;
    const { signal } = this.#stopping;
    const lines = new RepeatedLines(clock, telemetry);
    this.#lines = lines;
    this.#values = new FollowedValues({ reader: options.values, files: options.files, lines, signal });
    const onChange = () => this.#change();
    this.#watched = namespaces.flatMap((namespace) =>
      CUSTOM_KINDS.map(({ kind, plural }) => {
        const place = { plural, namespace };
        const watched = new WatchedObjects({ cluster, place, clock, random, lines, signal, onChange });
        return { kind, plural, watched };
      }),
    );
    this.#loop = new WakeableLoop({ clock, signal, pauseMs: () => LOOK_MS, turn: () => this.#turn() });
  }

  /** Returns at once. */
  start(): void {
    this.#running = Promise.all([...this.#watched.map(({ watched }) => watched.run()), this.#loop.run()]);
  }

  /** Writes nothing more; what runs goes on. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#options.cluster.close();
  }

  #change(): void {
    this.#isChanged = true;
  }

  /** Never rejects: whatever fails is tried again in the next one. */
  async #turn(): Promise<void> {
    // plant: what-was-not-listed-yet-is-taken-for-gone
    if (!this.#watched.every(({ watched }) => watched.isKnown)) return;
    const plane = this.#options.plane();
    if (plane === undefined) return;
    try {
      const nowMs = this.#options.clock.monotonic();
      await this.#follow(nowMs);
      if (this.#isChanged && nowMs >= this.#notBeforeMs) await this.#apply();
      if (nowMs - this.#toldMs < TELL_MS) return;
      this.#toldMs = nowMs;
      await this.#tell(plane);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const fields = { error: describeError(error) };
      this.#lines.write("warn", "custom resources could not be carried out or told; trying again", fields);
    }
  }

  async #follow(nowMs: number): Promise<void> {
    if (nowMs - this.#followedMs < FOLLOW_MS) return;
    this.#followedMs = nowMs;
    if (await this.#values.look()) this.#isChanged = true;
  }

  async #apply(): Promise<void> {
    const { clock, apply, context, folder } = this.#options;
    this.#isChanged = false;
    try {
      const objects = this.#objects();
      await this.#hold(objects);
      const nowMs = clock.now();
      const { objects: resolved, problems } = await this.#values.resolve(objects);
      const checked = { ...context, nowMs };
      const { manifests, faults, leaving } = manifestsOf(resolved, checked, folder, problems);
      await apply(manifests);
      this.#faults = faults;
      this.#leaving = leaving;
      this.#toldMs = Number.NEGATIVE_INFINITY;
    } catch (error) {
      this.#isChanged = true;
      // A store that is away is not asked with every look.
      this.#notBeforeMs = clock.monotonic() + TELL_MS;
      throw error;
    }
  }

  #objects(): readonly CustomObject[] {
    return this.#watched.flatMap(({ kind, watched }) =>
      [...watched.objects].map((object) => ({ kind, object })),
    );
  }

  /** Nobody deletes what runs without its being drained. One that cannot be held runs all the same. */
  async #hold(objects: readonly CustomObject[]): Promise<void> {
    for (const each of objects) {
      const { finalizers, deletionTimestamp, resourceVersion } = each.object.metadata;
      if (deletionTimestamp !== undefined || finalizers.includes(FINALIZER)) continue;
      await this.#alone(each, () => this.#finalize(each, [...finalizers, FINALIZER], resourceVersion));
    }
  }

  /** What the server refuses of one object is told, and keeps nothing from the others. */
  async #alone(each: CustomObject, write: () => Promise<unknown>): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    try {
      await write();
    } catch (error) {
      const fields = { resource: keyOf(each), error: describeError(error) };
      this.#lines.write("warn", "a custom resource could not be written to; trying again", fields);
    }
  }

  /** Another object of the kind has the name, in another namespace: what runs under it is that one's. */
  #isOfAnother({ kind, object }: CustomObject, objects: readonly CustomObject[]): boolean {
    return objects.some(
      (other) =>
        other.kind === kind &&
        other.object.metadata.name === object.metadata.name &&
        other.object.metadata.uid !== object.metadata.uid &&
        !this.#leaving.has(keyOf(other)) &&
        !this.#faults.has(keyOf(other)),
    );
  }

  async #finalize(each: CustomObject, finalizers: readonly string[], seenVersion: string): Promise<void> {
    const { cluster } = this.#options;
    await cluster.writeFinalizers(refOf(each), finalizers, seenVersion, this.#stopping.signal);
  }

  async #tell(plane: Plane): Promise<void> {
    const { set, clock } = this.#options;
    const standings = await standingsOf(plane, set);
    const objects = this.#objects();
    await this.#hold(objects);
    await this.#release(plane, objects);
    if (!standings.isTeller) return;
    const nowMs = clock.monotonic();
    const tellsFigures = nowMs - this.#figuresMs >= FIGURES_MS;
    if (tellsFigures) this.#figuresMs = nowMs;
    let left = WRITES_MAX;
    for (const each of objects) {
      if (left === 0 || this.#stopping.signal.aborted) return;
      const isOfAnother = this.#isOfAnother(each, objects);
      const standing = isOfAnother ? undefined : standings.of(each.kind, each.object.metadata.name);
      if (await this.#tellOne(each, standing, tellsFigures)) left -= 1;
    }
  }

  async #tellOne(
    each: CustomObject,
    standing: Standing | undefined,
    tellsFigures: boolean,
  ): Promise<boolean> {
    const { cluster, clock } = this.#options;
    const status = statusOf(each, this.#faults.get(keyOf(each)), standing, clock.now());
    const difference = differenceOf(each.object.status, status);
    if (difference === "none" || (difference === "figures" && !tellsFigures)) return false;
    const patch = replacing(each.object.status, status);
    await this.#alone(each, () => cluster.writeStatus(refOf(each), patch, this.#stopping.signal));
    return true;
  }

  /** What is to be deleted goes once no process of the store works on it any more. */
  async #release(plane: Plane, objects: readonly CustomObject[]): Promise<void> {
    if (this.#leaving.size === 0) return;
    const declared = await plane.resources.declaredBy(this.#options.set);
    for (const each of objects) {
      const { finalizers, name, resourceVersion } = each.object.metadata;
      if (!this.#leaving.has(keyOf(each)) || !finalizers.includes(FINALIZER)) continue;
      // plant: what-is-deleted-goes-before-it-is-drained
      const works = declared.some(
        (row) => row.kind === each.kind && row.name === name && (row.isChanging || !row.isOrphaned),
      );
      if (works && !this.#isOfAnother(each, objects)) continue;
      const others = finalizers.filter((finalizer) => finalizer !== FINALIZER);
      await this.#alone(each, () => this.#finalize(each, others, resourceVersion));
    }
  }
}

function refOf({ kind, object: { metadata } }: CustomObject): ObjectRef {
  const plural = CUSTOM_KINDS.find((each) => each.kind === kind)?.plural ?? "";
  return { plural, namespace: metadata.namespace, name: metadata.name };
}
