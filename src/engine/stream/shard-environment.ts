import type { MappingDoor } from "../../invocation/mapping-door.ts";
import { RepeatedLines } from "../../lib/repeated-lines.ts";
import { Slots } from "../../lib/slots.ts";
import type { KeySplit } from "../../model/key-split.ts";
import type { StreamMapping } from "../../model/mapping.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FailureNotes } from "../../ports/failure-notes.ts";
import type { Invoker } from "../../ports/invoker.ts";
import type { ParkedKeyStore } from "../../ports/parked-keys.ts";
import type { ProgressStore } from "../../ports/progress-store.ts";
import type { Random } from "../../ports/random.ts";
import type { FilterDocument, StreamSource } from "../../ports/stream-source.ts";
import type { LogFields, Telemetry } from "../../ports/telemetry.ts";
import type { Tracing } from "../../ports/tracing.ts";
import { ByteBudget } from "../budget.ts";
import type { StreamDeployment } from "../engine.ts";
import { compileFilterCriteria } from "../filter/filter.ts";
import { FailureDelivery } from "../invoke/failure-delivery.ts";
import type { EngineSettings } from "../settings.ts";
import { streamSubject } from "../trace/trace-subject.ts";
import { Tracer } from "../trace/tracer.ts";
import type { MappingParking } from "./mapping-parking.ts";
import { ParkingGuard } from "./parking-guard.ts";
import { ProgressGauges } from "./progress-gauges.ts";
import { ShardInquiry } from "./shard-inquiry.ts";
import { SourceOutages } from "./source-outages.ts";
import { SourceProblems } from "./source-problems.ts";

/** What a mapping's worker is given. */
export interface MappingSurroundings {
  readonly deployment: StreamDeployment;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly tracing?: Tracing | undefined;
  readonly store: ProgressStore;
  readonly settings: EngineSettings;
  readonly processBudget: ByteBudget;
  readonly invoker: Pick<MappingDoor, "invoke" | "split">;
  readonly failures?: FailureNotes | undefined;
  readonly parkedKeys?: ParkedKeyStore | undefined;
}

/** What the shards of a mapping share. */
export interface ShardEnvironment {
  readonly mapping: StreamMapping;
  readonly source: StreamSource;
  /** `undefined`: every record passes. */
  readonly filter: { matches(document: FilterDocument): boolean } | undefined;
  readonly settings: EngineSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly tracing: Tracing | undefined;
  readonly store: ProgressStore;
  readonly invoker: Invoker;
  readonly delivery: FailureDelivery;
  readonly budget: ByteBudget;
  readonly reads: Slots;
  readonly outages: SourceOutages;
  readonly lines: RepeatedLines;
  readonly gauges: ProgressGauges;
  readonly problems: SourceProblems;
  readonly inquiry: ShardInquiry;
  /** Absent: no key is ever parked. */
  readonly parking: MappingParking | undefined;
  /** How the function's alias deals keys out to versions now; `undefined`: they all go to one. */
  readonly split: () => KeySplit | undefined;
  report(problem: string | undefined, where: LogFields): void;
}

export function shardEnvironment(
  {
    deployment,
    clock,
    random,
    telemetry,
    tracing,
    store,
    settings,
    processBudget,
    invoker,
    failures,
    parkedKeys,
  }: MappingSurroundings,
  report: ShardEnvironment["report"],
): ShardEnvironment {
  const { mapping, source, destination, destinationUri = "" } = deployment;
  const lines = new RepeatedLines(clock, telemetry);
  const outages = new SourceOutages(clock, random);
  const limits = settings;
  return {
    mapping,
    source,
    filter: filterOf(deployment),
    settings,
    clock,
    random,
    telemetry,
    tracing,
    store: source.progress ?? store,
    invoker,
    delivery: new FailureDelivery({
      mapping: mapping.name,
      destination,
      telemetry,
      limits,
      outages,
      lines,
      clock,
      failures: failures && { delivered: (each) => failures.delivered(each), destination: destinationUri },
    }),
    budget: new ByteBudget(settings.mappingBudgetBytes, processBudget, mapping.name),
    reads: new Slots(settings.concurrentReads),
    outages,
    lines,
    gauges: new ProgressGauges(telemetry, mapping.name),
    problems: new SourceProblems(),
    inquiry: new ShardInquiry({ source, clock, secondAnswerMs: settings.secondAnswerMs }),
    parking: parkingOf(mapping, parkedKeys),
    split: () => invoker.split(mapping.functionArn),
    report,
  };
}

function parkingOf(
  { parkedKeys: settings }: StreamMapping,
  store: ParkedKeyStore | undefined,
): MappingParking | undefined {
  if (settings === undefined || store === undefined) return undefined;
  return { ...settings, store, guard: new ParkingGuard() };
}

function filterOf({ mapping, source }: StreamDeployment): ShardEnvironment["filter"] {
  if (mapping.filterPatterns.length === 0) return undefined;
  return compileFilterCriteria(mapping.filterPatterns, source.events.filterDataKey, { dataPattern: "any" });
}

/** `undefined`: nothing is traced. */
export function shardTracer(environment: ShardEnvironment, shardId: string): Tracer | undefined {
  const { tracing, clock, random, mapping, source } = environment;
  if (tracing === undefined) return undefined;
  return new Tracer({ tracing, clock, random, subject: streamSubject(mapping, source.description, shardId) });
}
