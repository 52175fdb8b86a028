import type { Engine, LaneExplanation, QueueExplanation, ShardExplanation } from "../engine/engine.ts";
import type { FunctionErrors } from "../model/function-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { ProgressStore, ShardProgress } from "../ports/progress-store.ts";
import type { RedriveStatus } from "../ports/redrives.ts";
import type { CounterName } from "../ports/telemetry.ts";
import { type Causes, causeLines } from "./cause-text.ts";
import { notFound } from "./control-fault.ts";
import type { ExplainedMapping, ExplainedShard } from "./explained-mapping.ts";
import { explanationLines } from "./explanation-text.ts";
import { baseNameOf } from "./functions/explain-function.ts";
import { environmentLines, toldEnvironments } from "./functions/told-environments.ts";
import { GRAVITY, gravityOf } from "./gravity.ts";
import { type MappingReasonsOptions, mappingReasons } from "./mapping-reasons.ts";
import type { MappingView } from "./mapping-view.ts";
import { sourceOf } from "./own-snapshot.ts";
import {
  isBad,
  type MappingSight,
  placeOf,
  sightOf,
  type ToldPart,
  type ToldProcess,
  type ToldReason,
  toldProcess,
  toldReason,
} from "./told-parts.ts";
import { withRedrives } from "./told-redrives.ts";
import type { WholeView } from "./whole-view.ts";

export interface ExplainOptions extends MappingReasonsOptions {
  readonly engine: Engine;
  readonly progress: ProgressStore;
  readonly clock: Clock;
  readonly processId: string;
  readonly memoryOf: (fn: string) => number | undefined;
  readonly totals: (mapping: string) => { readonly counters: Readonly<Record<CounterName, number>> };
}

export type ExplainedMappingWithText = ExplainedMapping & { readonly text: readonly string[] };

/** Who asks, and for what: `part` is a shard, a message group, a key, or the beginning of a shard's name. */
export interface Question {
  readonly part: string | undefined;
  /** Also texts of the function, and keys. */
  readonly mayInspect: boolean;
}

/**
 * Why a mapping, or a part of it, is where it is, with lines for people.
 * @throws ControlFault ResourceNotFoundException for a part that a stream's mapping does not have.
 */
export async function explainMapping(
  view: MappingView,
  { part, mayInspect }: Question,
  whole: WholeView,
  redrives: readonly RedriveStatus[],
  options: ExplainOptions,
): Promise<ExplainedMappingWithText> {
  const { engine, progress, clock, processId, totals } = options;
  const { resource, state, lastProcessingResult, problem } = view;
  const { uuid, name, filterPatterns } = resource.mapping;
  const here = engine.explain(uuid);
  const ofHere = here?.kind === "stream" ? here.shards.map((shard) => shownShard(shard, mayInspect)) : [];
  const shards = resource.kind === "queue" ? [] : allShards(await progress.list(uuid), ofHere, processId);
  const sight = redrivenSight(view, whole, mayInspect, redrives);
  const chosen = part === undefined ? undefined : choose(part, shards, sight.parts);
  const isKnownHere = resource.kind === "stream" && resource.connector.parameters.keepsProgress === undefined;
  if (isKnownHere && chosen !== undefined && chosen.shards.length + chosen.parts.length === 0)
    throw notFound();
  const parts = (chosen?.parts ?? sight.parts).map((each) => (mayInspect ? each : withoutKey(each)));
  const explained: ExplainedMapping = {
    nowMs: clock.now(),
    uuid,
    name,
    state,
    lastProcessingResult,
    source: sourceOf(resource),
    processId,
    isRunningHere: here !== undefined,
    hasFilter: filterPatterns.length > 0,
    totals: here && totals(name).counters,
    function: here?.function,
    environments: toldEnvironments(baseNameOf(resource.spec.functionName), whole),
    shards: chosen?.shards ?? shards,
    queue: here?.kind === "queue" ? shownQueue(ofGroup(here, part), mayInspect) : undefined,
    problem,
    errors: sight.errors,
    isFine: !parts.some(isBad),
    parts,
    processes: sight.processes,
    reasons: mappingReasons(view, sight, options).map(toldReason),
  };
  const fn = baseNameOf(resource.spec.functionName);
  const hosted = environmentLines(fn, explained.environments, options.memoryOf(fn)).map(
    (line) => `  ${line}`,
  );
  const causes = causeLines(causesOf(view, explained, sight, whole.nowMs, mayInspect));
  return { ...explained, text: [...causes, "", ...explanationLines(explained, part), ...hosted] };
}

/** The mappings that are not fine, worst first; of those that are, how many. */
export interface ExplainedAll {
  readonly mappings: readonly ExplainedCause[];
  readonly fine: number;
  readonly text: readonly string[];
}

export interface ExplainedCause {
  readonly uuid: string;
  readonly name: string;
  readonly state: string;
  readonly reasons: readonly ToldReason[];
  readonly parts: readonly ToldPart[];
  readonly processes: readonly ToldProcess[];
  readonly errors: FunctionErrors;
}

export function explainAll(
  views: readonly MappingView[],
  whole: WholeView,
  redrives: readonly RedriveStatus[],
  mayInspect: boolean,
  options: MappingReasonsOptions,
): ExplainedAll {
  const all = views.map((view) => {
    const { uuid, name } = view.resource.mapping;
    const sight = redrivenSight(view, whole, mayInspect, redrives);
    const parts = sight.parts.map((each) => (mayInspect ? each : withoutKey(each)));
    const reasons = mappingReasons(view, sight, options);
    const isFine = !parts.some(isBad) && !reasons.some(({ code }) => gravityOf(code) >= GRAVITY.wait);
    const { processes, errors } = sight;
    const cause = {
      uuid,
      name,
      state: view.state,
      reasons: reasons.map(toldReason),
      parts,
      processes,
      errors,
    };
    return { cause, isFine, text: causeLines(causesOf(view, cause, sight, whole.nowMs, mayInspect)) };
  });
  const bad = all.filter(({ isFine }) => !isFine).toSorted((a, b) => worstOf(b.cause) - worstOf(a.cause));
  const fine = all.length - bad.length;
  const alone =
    whole.problem === undefined
      ? []
      : [`Of this process alone, since others cannot be asked: ${whole.problem}`];
  const rest =
    fine === 0 ? [] : [bad.length === 0 ? fineText(fine) : `${fine} other${fine === 1 ? "" : "s"} fine`];
  return {
    mappings: bad.map(({ cause }) => cause),
    fine,
    text: [...bad.flatMap(({ text }) => text), ...rest, ...alone],
  };
}

function redrivenSight(
  { resource, state }: MappingView,
  whole: WholeView,
  mayInspect: boolean,
  redrives: readonly RedriveStatus[],
): MappingSight {
  const { uuid } = resource.mapping;
  const sight = sightOf(uuid, whole, mayInspect);
  const [here] = whole.processes;
  if (here === undefined || redrives.length === 0) return sight;
  return withRedrives(sight, redrives, { uuid, state, nowMs: whole.nowMs, process: toldProcess(here) });
}

function fineText(fine: number): string {
  return fine === 1 ? "The one mapping is fine." : `All ${fine} mappings are fine.`;
}

/** What has stood still for the longest first, among those that are as bad. */
function worstOf({ parts }: ExplainedCause): number {
  const [first] = parts;
  return first === undefined ? 0 : first.gravity * 1e15 - first.sinceMs;
}

function causesOf(
  { resource }: MappingView,
  { name, state, parts, reasons }: Pick<ExplainedCause, "name" | "state" | "parts" | "reasons">,
  { shards, errors }: MappingSight,
  nowMs: number,
  mayInspect: boolean,
): Causes {
  const { kind, mapping } = resource;
  const lanes = "parallelizationFactor" in mapping ? mapping.parallelizationFactor : 1;
  return { nowMs, name, kind, state, parts, reasons, shards, lanes, errors, mayInspect };
}

/** A shard by its name or the beginning or end of it that no other has; else what is of that key or group. */
function choose(part: string, shards: readonly ExplainedShard[], parts: readonly ToldPart[]) {
  const ids = new Set([
    ...shards.map(({ shardId }) => shardId),
    ...parts.map((each) => placeOf(each.part).shardId),
  ]);
  const near = [...ids].filter((id) => id.startsWith(part) || id.endsWith(part));
  const wanted = ids.has(part) ? part : near.length === 1 ? near[0] : undefined;
  if (wanted !== undefined)
    return {
      shards: shards.filter(({ shardId }) => shardId === wanted),
      parts: parts.filter((each) => placeOf(each.part).shardId === wanted),
    };
  const ofKey = parts.filter(({ lane, part: name }) => lane?.batch?.key === part || name === "queue");
  return { shards: [], parts: ofKey };
}

/** Keys are content of records. */
function withoutKey(part: ToldPart): ToldPart {
  return part.lane === undefined ? part : { ...part, lane: laneWithoutKey(part.lane) };
}

function laneWithoutKey(lane: LaneExplanation): LaneExplanation {
  if (lane.batch === undefined) return lane;
  const { key: _key, ...batch } = lane.batch;
  return { ...lane, batch };
}

/** Names of tenants are content of messages. */
function shownQueue(queue: QueueExplanation, mayInspect: boolean): QueueExplanation {
  if (mayInspect || queue.tenants === undefined) return queue;
  return { ...queue, tenants: { ...queue.tenants, most: [] } };
}

function shownShard(shard: ShardExplanation, mayInspect: boolean): ShardExplanation {
  return mayInspect ? shard : { ...shard, lanes: shard.lanes.map(laneWithoutKey) };
}

/** Those of the store, and those of a source whose broker divides them, which the store does not know. */
function allShards(
  rows: readonly ShardProgress[],
  ofHere: readonly ShardExplanation[],
  processId: string,
): readonly ExplainedShard[] {
  const known = rows.map(({ shardId, owner, handoverTo, parentShardIds, checkpoint }) => ({
    shardId,
    owner,
    isOwnerHere: owner === processId,
    handoverTo,
    parentShardIds,
    checkpoint: checkpoint.resume,
    isEnded: checkpoint.ended,
    here: ofHere.find((shard) => shard.shardId === shardId),
  }));
  const others = ofHere
    .filter(({ shardId }) => !rows.some((row) => row.shardId === shardId))
    .map((here) => ({
      shardId: here.shardId,
      owner: processId,
      isOwnerHere: true,
      handoverTo: undefined,
      parentShardIds: [],
      checkpoint: undefined,
      isEnded: here.ended,
      here,
    }));
  return [...known, ...others].toSorted((a, b) => (a.shardId < b.shardId ? -1 : 1));
}

function ofGroup(queue: QueueExplanation, group: string | undefined): QueueExplanation {
  if (group === undefined) return queue;
  return {
    ...queue,
    batches: queue.batches.filter(({ groups }) => groups.includes(group)),
    waitingGroups: queue.waitingGroups.filter((waiting) => waiting.group === group),
    failedMessages: queue.failedMessages.filter((failed) => failed.group === group),
  };
}
