import { ControlFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { eventsOf } from "../failures/event-rows.ts";
import type { FailureFilter } from "../failures/failure-filter.ts";
import { keyHashOf } from "../failures/failure-names.ts";
import { timeOf } from "../failures/time-text.ts";
import type { FailureCondition } from "../model/failure-record.ts";

/** A filter as a caller writes it: texts of a query, or members of a body. */
export type GivenFilter = (name: string) => readonly string[];

const CONDITIONS: readonly FailureCondition[] = [
  "RetryAttemptsExhausted",
  "RecordAgeExceeded",
  "MaximumPayloadSizeExceeded",
];
const IDS_MAX = 1_000;

/** @throws ControlFault InvalidParameterValueException, ResourceNotFoundException of the mapping */
export async function readFilter(given: GivenFilter, control: ControlPlane): Promise<FailureFilter> {
  const named = given("mapping")[0];
  const events = given("events")[0];
  if (named !== undefined && events !== undefined)
    throw invalid("Name a mapping, or a function of events, not both.");
  const mapping =
    events !== undefined ? eventsOf(events) : named && (await control.mappings.uuidNamed(named));
  const key = given("key")[0];
  const ids = given("id");
  if (ids.length > IDS_MAX) throw invalid(`Name at most ${IDS_MAX} failures by their ids.`);
  const { failures } = control;
  const nowMs = failures.nowMs();
  return {
    mapping,
    sinceMs: readTime(given, "since", nowMs),
    untilMs: readTime(given, "until", nowMs),
    shards: readShards(given("shard")[0]),
    keyHash: key === undefined ? undefined : keyHashOf(await failures.keyNamed(mapping, key)),
    error: given("error")[0],
    condition: readCondition(given("condition")[0]),
    ids: ids.length === 0 ? undefined : ids,
  };
}

function readTime(given: GivenFilter, name: string, nowMs: number): number | undefined {
  const text = given(name)[0];
  if (text === undefined) return undefined;
  const epochMs = timeOf(text, nowMs);
  if (epochMs !== undefined) return epochMs;
  throw invalid(`${name} is no time. Give a date such as 2026-11-30T12:00Z, or how long ago, such as 2h.`);
}

function readShards(text: string | undefined): FailureFilter["shards"] {
  if (text === undefined) return undefined;
  const [from = "", to = from] = text.split("..");
  if (from !== "" && to !== "") return { from, to };
  throw invalid("shard is no range. Give one shard, or the first and the last: A..B.");
}

function readCondition(text: string | undefined): FailureCondition | undefined {
  if (text === undefined) return undefined;
  const condition = CONDITIONS.find((each) => each === text);
  if (condition !== undefined) return condition;
  throw invalid(`There is no condition of this name. Conditions are ${CONDITIONS.join(", ")}.`);
}

export function invalid(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
