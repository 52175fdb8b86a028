import { isDeepStrictEqual } from "node:util";
import type { CustomObject, ObjectFault } from "./object-manifests.ts";

/** How a resource stands, as far as the control plane says it. */
export interface Standing {
  readonly isReady: boolean;
  /** One word for machines, in Kubernetes's form: `FunctionFails`. */
  readonly reason: string;
  /** For people: what is in the way and what to do. */
  readonly message: string;
  /** What else is shown; lag, figures and their like. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface ResourceStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly [field: string]: unknown;
}

interface Condition {
  readonly type: "Accepted" | "Ready";
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  /** When `status` became what it is. */
  readonly lastTransitionTime: string;
}

/** The API server takes no more in a condition. */
const MESSAGE_CHARS_MAX = 32_768;

/**
 * The status of an object: `Accepted`, its form as it is now is in force; `Ready`, it does its work. `standing`:
 * `undefined` when nothing of it runs.
 */
export function statusOf(
  { object }: CustomObject,
  fault: ObjectFault | undefined,
  standing: Standing | undefined,
  nowMs: number,
): ResourceStatus {
  const { generation } = object.metadata;
  const before = conditionsIn(object.status);
  const condition = (
    type: Condition["type"],
    isTrue: boolean,
    reason: string,
    message: string,
  ): Condition => {
    const status = isTrue ? "True" : "False";
    const known = before.find((each) => each.type === type);
    const lastTransitionTime = known?.status === status ? known.lastTransitionTime : secondOf(nowMs);
    const told = message.slice(0, MESSAGE_CHARS_MAX);
    return { type, status, reason, message: told, observedGeneration: generation, lastTransitionTime };
  };
  const isAccepted = fault?.reason !== "Invalid";
  const accepted = isAccepted
    ? condition("Accepted", true, "Accepted", "It is in force as it is written.")
    : condition("Accepted", false, "Invalid", fault.message);
  return {
    observedGeneration: generation,
    conditions: [accepted, condition("Ready", ...readiness(fault, standing))],
    ...standing?.fields,
  };
}

function readiness(
  fault: ObjectFault | undefined,
  standing: Standing | undefined,
): [isReady: boolean, reason: string, message: string] {
  if (fault?.reason === "Invalid") {
    const kept = standing === undefined ? "Nothing of it runs." : "What was accepted before stays in force.";
    return [false, "Invalid", `${fault.message}\n${kept}`];
  }
  if (fault !== undefined) return [false, fault.reason, fault.message];
  if (standing === undefined) return [false, "Starting", "It is not carried out yet."];
  return [standing.isReady, standing.reason, standing.message];
}

/** What there is to write: nothing, figures that change all the time, or what is worth a write of its own. */
export function differenceOf(before: unknown, after: ResourceStatus): "none" | "figures" | "worth" {
  if (isDeepStrictEqual(before, plain(after))) return "none";
  const { lagSeconds: _lag, ...rest } = after;
  const known = isRecord(before) ? before : {};
  const { lagSeconds: _known, ...others } = known;
  return isDeepStrictEqual(others, plain(rest)) ? "figures" : "worth";
}

/** As a merge patch that leaves nothing of what was there before. */
export function replacing(before: unknown, after: ResourceStatus): object {
  const former = isRecord(before) ? Object.keys(before).filter((field) => !(field in after)) : [];
  return { ...after, ...Object.fromEntries(former.map((field) => [field, null])) };
}

function plain(status: object): unknown {
  return JSON.parse(JSON.stringify(status));
}

function secondOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** What a status holds is written by anybody who may: only what has the right form is gone by. */
function conditionsIn(status: unknown): readonly Pick<Condition, "type" | "status" | "lastTransitionTime">[] {
  const list: unknown = isRecord(status) ? status["conditions"] : undefined;
  return Array.isArray(list) ? list.filter(isCondition) : [];
}

function isCondition(value: unknown): value is Condition {
  return (
    isRecord(value) && ["type", "status", "lastTransitionTime"].every((key) => typeof value[key] === "string")
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
