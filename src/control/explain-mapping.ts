import type { Engine, QueueExplanation, ShardExplanation } from "../engine/engine.ts";
import { type FunctionErrors, withoutTexts } from "../model/function-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { ProgressStore, ShardProgress } from "../ports/progress-store.ts";
import type { CounterName } from "../ports/telemetry.ts";
import { notFound } from "./control-fault.ts";
import type { ExplainedMapping, ExplainedShard } from "./explained-mapping.ts";
import { explanationLines } from "./explanation-text.ts";
import type { MappingView } from "./mapping-view.ts";
import type { SeenPart } from "./process-snapshot.ts";

export interface ExplainOptions {
  readonly engine: Engine;
  readonly progress: ProgressStore;
  readonly clock: Clock;
  readonly processId: string;
  readonly standing: (uuid: string) => readonly SeenPart[];
  readonly errors: (mapping: string) => FunctionErrors;
  readonly totals: (mapping: string) => { readonly counters: Readonly<Record<CounterName, number>> };
}

export type ExplainedMappingWithText = ExplainedMapping & { readonly text: readonly string[] };

/**
 * `part`: of this shard or message group only. With lines for people. `mayInspect`: also texts of the function.
 * @throws ControlFault ResourceNotFoundException for a shard that a stream's mapping does not have.
 */
export async function explainMapping(
  view: MappingView,
  part: string | undefined,
  options: ExplainOptions,
  mayInspect: boolean,
): Promise<ExplainedMappingWithText> {
  const { engine, progress, clock, processId, totals } = options;
  const { resource, state, lastProcessingResult, problem } = view;
  const { uuid, name, eventSourceArn, filterPatterns } = resource.mapping;
  const here = engine.explain(uuid);
  const ofHere = here?.kind === "stream" ? here.shards : [];
  const shards = resource.kind === "queue" ? [] : allShards(await progress.list(uuid), ofHere, processId);
  const chosen = part === undefined ? shards : shards.filter(({ shardId }) => shardId === part);
  const { parameters } = resource.connector;
  const isKnownHere = resource.kind === "stream" && parameters.keepsProgress === undefined;
  if (isKnownHere && part !== undefined && chosen.length === 0) throw notFound();
  const errors = options.errors(name);
  const explained: ExplainedMapping = {
    nowMs: clock.now(),
    uuid,
    name,
    state,
    lastProcessingResult,
    source: eventSourceArn ?? parameters.sourceName?.(resource.settings) ?? "",
    processId,
    isRunningHere: here !== undefined,
    hasFilter: filterPatterns.length > 0,
    totals: here && totals(name).counters,
    function: here?.function,
    shards: chosen,
    queue: here?.kind === "queue" ? ofGroup(here, part) : undefined,
    problem,
    errors: mayInspect ? errors : withoutTexts(errors),
    standing: options.standing(uuid).filter((each) => part === undefined || isOfPart(each, part)),
  };
  return { ...explained, text: explanationLines(explained, part) };
}

function isOfPart({ part }: SeenPart, wanted: string): boolean {
  return part === wanted || part.startsWith(`${wanted} `);
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
