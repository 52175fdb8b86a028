import { parseFunctionName } from "../../manifests/function-name.ts";
import type { MappingResource } from "../../manifests/resources.ts";
import { FUNCTION_LANE } from "../../model/async-item.ts";
import { describeError } from "../../model/errors.ts";
import type { AsyncQueue, LaneBacklog } from "../../ports/async-queue.ts";
import type { ParkingStore } from "../../ports/parking-store.ts";
import type { ResourceRow, ResourceStore } from "../../ports/resource-store.ts";
import { MAPPING_KIND, ROUTE_KIND, TIMED_KINDS } from "../../resources/kinds.ts";
import { CURSOR_PREFIX } from "../../schedules/cursor-place.ts";
import { isOrphan, isWanted, type KeptMapping, type RowReading, readRow } from "../mapping-record.ts";
import { routesOf } from "../routes/route-rows.ts";
import { BacklogBook, type BacklogBookOptions } from "./backlog-book.ts";
import type { Demand, FunctionCount, MappingDemand } from "./demand.ts";
import { dueTicks } from "./due-ticks.ts";
import { ProcessSights, type ProcessSightsOptions, type SeenLife } from "./process-sights.ts";

export interface DemandReaderOptions extends BacklogBookOptions, ProcessSightsOptions, RowReading {
  readonly store: Pick<ResourceStore, "list" | "processes">;
  readonly parking: Pick<ParkingStore, "pending">;
  /** Absent: the store has no queue of asynchronous events. */
  readonly events: Pick<AsyncQueue, "backlog" | "cursors" | "total"> | undefined;
}

/** As AWS scales a queue's mapping that says no maximum of its own. */
const QUEUE_CALLS_MAX = 1_250;

interface ReadRows {
  readonly wanted: readonly KeptMapping[];
  readonly changes: number;
  readonly unsure: readonly string[];
}

/** Reads from a store, and from the sources of its mappings, what there is to do. It runs nothing and takes nothing. */
export class DemandReader {
  readonly #options: DemandReaderOptions;
  readonly #backlogs: BacklogBook;
  readonly #processes: ProcessSights;

  constructor(options: DemandReaderOptions) {
    this.#options = options;
    this.#backlogs = new BacklogBook(options);
    this.#processes = new ProcessSights(options);
  }

  /** @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE; a source that cannot be asked is told of in the answer. */
  async look(): Promise<Demand> {
    const { store, parking, events, clock } = this.#options;
    const [rows, pending, lanes, cursors, unassigned] = await Promise.all([
      store.list([MAPPING_KIND, ROUTE_KIND, ...TIMED_KINDS]),
      parking.pending(),
      events?.backlog() ?? [],
      events?.cursors(CURSOR_PREFIX) ?? new Map<string, string>(),
      events?.total?.() ?? 0,
    ]);
    const { wanted, changes, unsure } = this.#read(rows);
    // Sources first: what a process has taken from one by then, its later word tells.
    const before = await this.#processes.look();
    await this.#backlogs.keep(new Set(wanted.map(({ uuid }) => uuid)));
    const mappings = await Promise.all(wanted.map((kept) => this.#mapping(kept, before)));
    const lives = await this.#processes.look();
    const functionOf = new Map(wanted.map(({ uuid, resource }) => [uuid, resource.functionName]));
    return {
      mappings,
      ...laneCounts(lanes),
      unassigned,
      ticks: events === undefined ? [] : dueTicks(rows, cursors, clock.now()),
      redrives: pending.map(({ mapping }) => ({ functionName: functionOf.get(mapping) ?? "" })),
      routes: routesOf(rows).routes.map(({ route }) => route.functionName),
      changes,
      processes: lives.map(({ demand }) => demand),
      unsure: [...unsure, ...mappings.flatMap(({ problem }) => problem ?? [])],
    };
  }

  async close(): Promise<void> {
    await this.#backlogs.close();
  }

  #read(rows: readonly ResourceRow[]): ReadRows {
    const wanted: KeptMapping[] = [];
    const unsure: string[] = [];
    let changes = 0;
    for (const row of rows) {
      try {
        const kept = readRow(row, this.#options);
        if (kept === undefined || isOrphan(kept.record)) continue;
        if (kept.record.transition !== undefined) changes += 1;
        if (isWanted(kept.record)) wanted.push(kept);
      } catch (error) {
        unsure.push(describeError(error));
      }
    }
    return { wanted, changes, unsure };
  }

  async #mapping(kept: KeptMapping, lives: readonly SeenLife[]): Promise<MappingDemand> {
    const { resource, uuid, version } = kept;
    const { name } = resource.mapping;
    const named = { name, functionName: resource.functionName };
    const working = resource.kind === "stream" ? partsAtWork(uuid, lives) : 0;
    // Shards have quotas of reads: who reads them says more of them than another reader would.
    if (working > 0 && resource.connector.openBacklog === undefined) {
      await this.#backlogs.rest(uuid);
      return { ...named, elements: working, parts: working, calls: callsFor(resource, working, working) };
    }
    const { elements, parts, problem } = await this.#backlogs.look({ version, resource });
    const calls = callsFor(resource, elements, parts);
    return { ...named, elements, parts, calls, problem: problem && `${name}: ${problem}` };
  }
}

/** Shards of a mapping, or lanes of them, that processes hold something of. */
function partsAtWork(uuid: string, lives: readonly SeenLife[]): number {
  return lives
    .flatMap(({ snapshot }) => snapshot?.mappings.filter((each) => each.uuid === uuid) ?? [])
    .reduce((sum, { parts }) => sum + parts.filter(({ holdsWork }) => holdsWork).length, 0);
}

function callsFor(resource: MappingResource, elements: number, parts: number): number {
  if (resource.kind === "stream") return parts * resource.mapping.parallelizationFactor;
  const { batchSize, concurrencyMax = QUEUE_CALLS_MAX } = resource.mapping;
  return Math.min(concurrencyMax, Math.ceil(elements / batchSize));
}

function laneCounts(lanes: readonly LaneBacklog[]): {
  readonly events: readonly FunctionCount[];
  readonly deliveries: number;
} {
  const events: FunctionCount[] = [];
  let deliveries = 0;
  for (const { lane, items } of lanes) {
    const name = lane.startsWith(FUNCTION_LANE)
      ? parseFunctionName(lane.slice(FUNCTION_LANE.length))
      : undefined;
    if (name === undefined) deliveries += items;
    else if (items > 0) events.push({ functionName: name.name, count: items });
  }
  return { events, deliveries };
}
