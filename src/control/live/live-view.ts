import type { FunctionErrorEntry } from "../../model/function-error.ts";
import type { LoadTestProgress } from "../../model/load-test.ts";
import type { Clock } from "../../ports/clock.ts";
import type { MappingView } from "../mapping-view.ts";
import type { MappingSnapshot } from "../process-snapshot.ts";
import { sightOfSeen } from "../told-parts.ts";
import type { SeenProcess, WholeView } from "../whole-view.ts";
import { LiveHistory, type LivePoint } from "./live-history.ts";
import { type LiveCause, type LiveMapping, liveCauses, liveMapping, seenMappings } from "./live-mapping.ts";
import { type ShardStretch, shardStretch } from "./live-shards.ts";

export interface LiveView {
  readonly nowMs: number;
  /** Why other processes could not be asked. */
  readonly problem?: string;
  /** This one first, then those that live. */
  readonly processes: readonly LiveProcess[];
  readonly processesLeftOut: number;
  readonly mappings: readonly LiveMapping[];
  readonly loadTests: readonly LoadTestProgress[];
}

export interface LiveProcess {
  readonly processId: string;
  readonly isHere: boolean;
  readonly standing: SeenProcess["standing"];
  /** When it last said how it is. */
  readonly saidMs: number;
  readonly startedMs: number;
  readonly mappings: number;
  readonly shards: number;
}

/** One mapping closely. */
export interface LiveDetail extends ShardStretch {
  readonly uuid: string;
  readonly history: readonly LivePoint[];
  readonly parts: readonly LivePart[];
  readonly partsLeftOut: number;
  readonly shardsLeftOut: number;
  readonly errors: readonly FunctionErrorEntry[];
}

export interface LivePart extends LiveCause {
  readonly holdsWork: boolean;
}

export interface LiveLook {
  /** Texts of functions are shown only where the caller may see them. */
  readonly mayInspect: boolean;
  /** Which of its shards: so many from this one on; the worst is the first. */
  readonly from: number;
  readonly max: number;
}

export interface LiveBookOptions {
  readonly everywhere: () => Promise<WholeView>;
  readonly mappings: () => Promise<readonly MappingView[]>;
  readonly clock: Pick<Clock, "monotonic">;
}

/** Mappings are read from the store so seldom while somebody looks. */
const LIST_MS = 5_000;
/** Nobody reads more at once. */
const PARTS_MAX = 100;
const PROCESSES_MAX = 200;
const LOAD_TESTS_MAX = 16;
/** What is drawn is not older than this, however many look. */
const VIEW_MS = 900;

/** What the page shows: one look at all processes for all who look. */
export class LiveBook {
  readonly #options: LiveBookOptions;
  readonly #history = new LiveHistory();
  #views: readonly MappingView[] = [];
  #listedMs = Number.NEGATIVE_INFINITY;
  #whole: WholeView | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<WholeView> | undefined;

  constructor(options: LiveBookOptions) {
    this.#options = options;
  }

  async view(): Promise<LiveView> {
    const whole = await this.#look();
    const seen = seenMappings(whole);
    return {
      nowMs: whole.nowMs,
      ...(whole.problem === undefined ? {} : { problem: whole.problem }),
      processes: whole.processes.slice(0, PROCESSES_MAX).map(liveProcess),
      processesLeftOut: Math.max(0, whole.processes.length - PROCESSES_MAX),
      loadTests: whole.processes
        .flatMap(({ snapshot, standing }) => (standing === "lives" ? (snapshot.loadTests ?? []) : []))
        .slice(0, LOAD_TESTS_MAX),
      mappings: this.#views.map((view) => {
        const { uuid } = view.resource.mapping;
        return liveMapping(view, seen.get(uuid) ?? [], whole.nowMs);
      }),
    };
  }

  /** By mapping: what was done a second over the last quarter of an hour, for many at once. */
  async sparks(): Promise<ReadonlyMap<string, readonly number[]>> {
    await this.#look();
    return this.#history.sparks();
  }

  async detail(uuid: string, { mayInspect, from, max }: LiveLook): Promise<LiveDetail> {
    const whole = await this.#look();
    const words = seenMappings(whole).get(uuid) ?? [];
    const sight = sightOfSeen(words, whole.nowMs, mayInspect);
    const living = words.filter(({ process }) => process.standing === "lives");
    const mapping = this.#views.find(({ resource }) => resource.mapping.uuid === uuid)?.resource.mapping;
    const lanes =
      mapping !== undefined && "parallelizationFactor" in mapping ? mapping.parallelizationFactor : 1;
    const leftOut = (count: (snapshot: MappingSnapshot) => number) =>
      living.reduce((sum, each) => sum + count(each.mapping), 0);
    const causes = sight.parts.flatMap((part) =>
      liveCauses(part).map((cause) => ({ ...cause, holdsWork: part.holdsWork })),
    );
    return {
      uuid,
      history: this.#history.of(uuid),
      parts: causes.slice(0, PARTS_MAX),
      partsLeftOut: leftOut(({ partsLeftOut }) => partsLeftOut) + Math.max(0, causes.length - PARTS_MAX),
      ...shardStretch(living, sight.parts, lanes, { from, max }),
      shardsLeftOut: leftOut(({ shardsLeftOut }) => shardsLeftOut),
      errors: sight.errors.errors,
    };
  }

  /** Those who look at the same time look together. */
  async #look(): Promise<WholeView> {
    const { everywhere, clock } = this.#options;
    if (this.#whole !== undefined && clock.monotonic() - this.#lookedMs < VIEW_MS) return this.#whole;
    this.#looking ??= this.#list()
      .then(everywhere)
      .finally(() => {
        this.#looking = undefined;
      });
    const whole = await this.#looking;
    this.#whole = whole;
    this.#lookedMs = clock.monotonic();
    this.#history.note(whole, this.#lookedMs);
    return whole;
  }

  /** What was listed before stands in where the store does not answer: the view says so. */
  async #list(): Promise<void> {
    const { mappings, clock } = this.#options;
    if (clock.monotonic() - this.#listedMs < LIST_MS) return;
    this.#listedMs = clock.monotonic();
    this.#views = await mappings().catch(() => this.#views);
  }
}

function liveProcess({ snapshot, isHere, standing }: SeenProcess): LiveProcess {
  return {
    processId: snapshot.processId,
    isHere,
    standing,
    saidMs: snapshot.atMs,
    startedMs: snapshot.startedMs,
    mappings: snapshot.mappings.length + snapshot.mappingsLeftOut,
    shards: snapshot.mappings.reduce((sum, { shards }) => sum + shards, 0),
  };
}
