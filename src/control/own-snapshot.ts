import type { Engine, MappingExplanation, MappingStatus, ShardExplanation } from "../engine/engine.ts";
import type { MappingResource } from "../manifests/resources.ts";
import type { CallFigures } from "../model/call-figures.ts";
import type { FunctionErrors } from "../model/function-error.ts";
import type { LoadTestProgress } from "../model/load-test.ts";
import type { Clock } from "../ports/clock.ts";
import type { EnvironmentFigures } from "../ports/environment-watch.ts";
import type { CounterName } from "../ports/telemetry.ts";
import { gravityOf } from "./gravity.ts";
import type { EventFigures, MappingSnapshot, ProcessSnapshot, SeenPart } from "./process-snapshot.ts";

export interface OwnSnapshotOptions {
  readonly engine: Pick<Engine, "explain">;
  readonly status: () => readonly MappingStatus[];
  readonly parts: (uuid: string) => readonly SeenPart[];
  readonly totals: (mapping: string) => {
    readonly counters: Readonly<Record<CounterName, number>>;
    readonly invocations: number;
  };
  readonly errors: (mapping: string) => FunctionErrors;
  readonly resourceOf: (uuid: string) => MappingResource | undefined;
  readonly processId: string;
  /** The name of its beat. */
  readonly beatsAs: () => string;
  readonly loadTests: () => readonly LoadTestProgress[];
  readonly environments: () => readonly EnvironmentFigures[];
  readonly eventFigures: () => readonly EventFigures[];
  readonly invokers: { calls(): readonly CallFigures[] };
  readonly clock: Clock;
}

/** Shards and parts of a mapping beyond these are counted only: nobody reads more at once. */
const SHARDS_MAX = 50;
const PARTS_MAX = 100;
const ERRORS_MAX = 5;
const FUNCTIONS_MAX = 100;

/** Makes this process's word of itself. */
export class OwnSnapshot {
  readonly #options: OwnSnapshotOptions;
  readonly #startedMs: number;

  constructor(options: OwnSnapshotOptions) {
    this.#options = options;
    this.#startedMs = options.clock.now();
  }

  make(isEnded: boolean): ProcessSnapshot {
    const { status, processId, beatsAs, clock } = this.#options;
    const mappings = status().map((each) => this.#mapping(each));
    const loadTests = this.#options.loadTests();
    const events = this.#options.eventFigures().slice(0, FUNCTIONS_MAX);
    const functions = worstOfFunctions(this.#options.environments());
    const calls = this.#options.invokers.calls();
    // Before any of them is left out.
    const holdsWork = calls.length > 0 || mappings.some(({ parts }) => parts.some((part) => part.holdsWork));
    return {
      form: 1,
      processId,
      beatsAs: beatsAs(),
      startedMs: this.#startedMs,
      atMs: clock.now(),
      isEnded,
      mappings: mappings.toSorted((a, b) => worstOf(b) - worstOf(a) || b.oldestAgeMs - a.oldestAgeMs),
      ...(functions.length === 0 ? {} : { functions }),
      holdsWork,
      ...(calls.length === 0 ? {} : { calls: calls.slice(0, FUNCTIONS_MAX) }),
      ...(events.length === 0 ? {} : { events }),
      ...(loadTests.length === 0 ? {} : { loadTests }),
      mappingsLeftOut: 0,
    };
  }

  #mapping(status: MappingStatus): MappingSnapshot {
    const { engine, totals, resourceOf } = this.#options;
    const { uuid, name, state, lastProcessingResult, problem, oldestAgeMs, caughtUp, shards } = status;
    const { counters, invocations } = totals(name);
    const parts = this.#options.parts(uuid).toSorted(worstFirst);
    const explanation = engine.explain(uuid);
    const resource = resourceOf(uuid);
    const leftOut = Math.max(0, shards.length - SHARDS_MAX);
    return {
      uuid,
      name,
      source: resource === undefined ? "" : sourceOf(resource),
      functionName: resource?.spec.functionName ?? "",
      state,
      lastProcessingResult,
      ...(problem === undefined ? {} : { problem }),
      oldestAgeMs,
      caughtUp,
      counters,
      invocations,
      ...(explanation === undefined ? {} : { explanation: withWorst(explanation, parts) }),
      shards: shards.length,
      shardsLeftOut: leftOut,
      parts: parts.slice(0, PARTS_MAX),
      errors: topErrors(this.#options.errors(name)),
      partsLeftOut: Math.max(0, parts.length - PARTS_MAX),
    };
  }
}

/** Those that cannot start, then those that start most: of more nobody reads. */
function worstOfFunctions(all: readonly EnvironmentFigures[]): readonly EnvironmentFigures[] {
  if (all.length <= FUNCTIONS_MAX) return all;
  const rank = ({ failing, coldStartsLately }: EnvironmentFigures) =>
    failing === undefined ? coldStartsLately : Number.POSITIVE_INFINITY;
  return all.toSorted((a, b) => rank(b) - rank(a)).slice(0, FUNCTIONS_MAX);
}

export function sourceOf({ mapping, connector, settings }: MappingResource): string {
  return mapping.eventSourceArn ?? connector.parameters.sourceName?.(settings) ?? "";
}

export function worstFirst(a: SeenPart, b: SeenPart): number {
  return gravityOfPart(b) - gravityOfPart(a) || a.sinceMs - b.sinceMs;
}

function gravityOfPart({ reasons }: SeenPart): number {
  return Math.max(0, ...reasons.map(({ code }) => gravityOf(code)));
}

function worstOf({ parts }: MappingSnapshot): number {
  return Math.max(0, ...parts.map(gravityOfPart));
}

/** Shards whose parts are the worst, then those that are farthest behind. */
function withWorst(explanation: MappingExplanation, parts: readonly SeenPart[]): MappingExplanation {
  if (explanation.kind === "queue" || explanation.shards.length <= 1) return explanation;
  const gravity = new Map<string, number>();
  for (const part of parts) {
    const shardId = part.part.split(" ", 1)[0] ?? "";
    gravity.set(shardId, Math.max(gravity.get(shardId) ?? 0, gravityOfPart(part)));
  }
  const behind = ({ lagMs, offsetLag, bufferedRecords }: ShardExplanation) =>
    (lagMs ?? 0) + (offsetLag ?? 0) + bufferedRecords;
  const shards = explanation.shards.toSorted(
    (a, b) => (gravity.get(b.shardId) ?? 0) - (gravity.get(a.shardId) ?? 0) || behind(b) - behind(a),
  );
  return { ...explanation, shards: shards.slice(0, SHARDS_MAX) };
}

function topErrors({ errors, leftOut }: FunctionErrors): FunctionErrors {
  return {
    errors: errors.slice(0, ERRORS_MAX),
    leftOut: leftOut + errors.slice(ERRORS_MAX).reduce((sum, { count }) => sum + count, 0),
  };
}
