import type { FunctionErrorEntry } from "../../model/function-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { MappingView } from "../mapping-view.ts";
import { sightOf } from "../told-parts.ts";
import type { SeenProcess, WholeView } from "../whole-view.ts";
import { LiveHistory, type LivePoint } from "./live-history.ts";
import { type LiveCause, type LiveMapping, liveCauses, liveMapping, seenMappings } from "./live-mapping.ts";

export interface LiveView {
  readonly nowMs: number;
  /** Why other processes could not be asked. */
  readonly problem?: string;
  readonly processes: readonly LiveProcess[];
  readonly mappings: readonly LiveMapping[];
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
export interface LiveDetail {
  readonly uuid: string;
  readonly history: readonly LivePoint[];
  readonly parts: readonly LivePart[];
  readonly partsLeftOut: number;
  readonly shards: readonly LiveShard[];
  readonly shardsLeftOut: number;
  readonly errors: readonly FunctionErrorEntry[];
}

export interface LivePart extends LiveCause {
  readonly holdsWork: boolean;
}

export interface LiveShard {
  readonly shardId: string;
  readonly process: string;
  readonly reading: string;
  readonly bufferedRecords: number;
  readonly settledRecords: number;
  readonly lagMs: number | null;
  /** Lanes that have something to do. */
  readonly lanes: number;
}

export interface LiveBookOptions {
  readonly everywhere: () => Promise<WholeView>;
  readonly mappings: () => Promise<readonly MappingView[]>;
  readonly clock: Pick<Clock, "monotonic">;
}

/** Mappings are read from the store so seldom while somebody looks. */
const LIST_MS = 5_000;
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
      processes: whole.processes.map(liveProcess),
      mappings: this.#views.map((view) => {
        const { uuid } = view.resource.mapping;
        return liveMapping(view, seen.get(uuid) ?? [], sightOf(uuid, whole, false));
      }),
    };
  }

  /** Texts of functions only where the caller may see them. */
  async detail(uuid: string, mayInspect: boolean): Promise<LiveDetail> {
    const whole = await this.#look();
    const sight = sightOf(uuid, whole, mayInspect);
    const living = (seenMappings(whole).get(uuid) ?? []).filter(
      ({ process }) => process.standing === "lives",
    );
    return {
      uuid,
      history: this.#history.of(uuid),
      parts: sight.parts.flatMap((part) =>
        liveCauses(part).map((cause) => ({ ...cause, holdsWork: part.holdsWork })),
      ),
      partsLeftOut: living.reduce((sum, { mapping }) => sum + mapping.partsLeftOut, 0),
      shards: living.flatMap(({ process, mapping }) => {
        const { explanation } = mapping;
        if (explanation?.kind !== "stream") return [];
        return explanation.shards.map((shard) => ({
          shardId: shard.shardId,
          process: process.snapshot.processId,
          reading: shard.reading,
          bufferedRecords: shard.bufferedRecords,
          settledRecords: shard.settledRecords,
          lagMs: shard.lagMs ?? null,
          lanes: shard.lanes.length,
        }));
      }),
      shardsLeftOut: living.reduce((sum, { mapping }) => sum + mapping.shardsLeftOut, 0),
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
