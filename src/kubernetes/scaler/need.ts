import type { Demand, FunctionCount } from "../../control/demand/demand.ts";
import type { Trigger } from "./trigger.ts";

/** What a trigger is told of a demand. */
export interface Need {
  /** Why there is something to do, each in a few words; none: there is nothing. */
  readonly reasons: readonly string[];
  readonly metrics: readonly Metric[];
}

export interface Metric {
  readonly name: MetricName;
  readonly value: number;
  /** The part of `value` that is one pod's. */
  readonly target: number;
}

export type MetricName = "elements" | "parts" | "calls";

/** What there is to do for the engine, or for the pods of one function. Pure. */
export function needOf(demand: Demand, trigger: Trigger, nowMs: number): Need {
  const { functionName } = trigger;
  return functionName === undefined
    ? needOfEngine(demand, trigger, nowMs)
    : needOfFunction(demand, functionName, trigger, nowMs);
}

/** Specs do not depend on what there is to do. */
export function metricTargets(trigger: Trigger): readonly Omit<Metric, "value">[] {
  return needOf(NOTHING, trigger, 0).metrics.map(({ name, target }) => ({ name, target }));
}

const NOTHING: Demand = {
  ...{ mappings: [], events: [], unassigned: 0, deliveries: 0, ticks: [], redrives: [] },
  ...{ routes: [], changes: 0, processes: [], unsure: [] },
};

function needOfEngine(demand: Demand, trigger: Trigger, nowMs: number): Need {
  const { mappings, deliveries, redrives, routes, changes, processes } = demand;
  const events = total(demand.events) + demand.unassigned + deliveries;
  const elements = mappings.reduce((sum, each) => sum + each.elements, 0);
  const parts = mappings.reduce((sum, each) => sum + each.parts, 0);
  // plant: a-schedule-counts-once-it-is-late
  const due = demand.ticks.filter(({ dueMs }) => dueMs - trigger.leadMs <= nowMs);
  const reasons = [
    ...told(elements, "records or messages wait"),
    ...told(events, "asynchronous events are not brought to their end"),
    ...told(due.length, "schedules are due"),
    // plant: what-is-parked-wakes-nobody
    ...told(redrives.length, "redrives are not concluded"),
    ...told(routes.length, "routes wait for HTTP requests"),
    ...told(changes, "changes are not carried out"),
    // plant: what-processes-hold-keeps-nobody
    ...told(processes.filter(({ holdsWork }) => holdsWork).length, "processes hold work"),
    ...told(processes.filter(({ isHeard }) => !isHeard).length, "processes do not say what they do"),
    ...told(demand.unsure.length, "things cannot be asked"),
  ];
  return {
    reasons,
    metrics: [
      { name: "elements", value: elements + events, target: trigger.elementsPerReplica },
      { name: "parts", value: parts, target: trigger.partsPerReplica },
    ],
  };
}

/** Pods of a function wait for its calls alone. */
function needOfFunction(demand: Demand, functionName: string, trigger: Trigger, nowMs: number): Need {
  const isOwn = (each: { readonly functionName: string }) => each.functionName === functionName;
  const mappings = demand.mappings.filter(isOwn);
  const running = total(demand.processes.flatMap(({ calls }) => calls.filter(isOwn)));
  const events = total(demand.events.filter(isOwn));
  const redrives = demand.redrives.filter(isOwn).length;
  const due = demand.ticks.filter(
    ({ functionNames, dueMs }) => functionNames.includes(functionName) && dueMs - trigger.leadMs <= nowMs,
  ).length;
  const routes = demand.routes.filter((name) => name === functionName).length;
  const silent = demand.processes.filter(({ isHeard }) => !isHeard).length;
  const wanted = mappings.reduce((sum, { calls }) => sum + calls, 0);
  const reasons = [
    ...told(wanted, "batches wait"),
    ...told(running, "calls run or wait for their turn"),
    ...told(events, "asynchronous events are not brought to their end"),
    ...told(demand.unassigned, "asynchronous events may be of this function"),
    ...told(due, "schedules are due"),
    ...told(redrives, "redrives are not concluded"),
    ...told(routes, "routes wait for HTTP requests"),
    ...told(silent, "processes do not say what they do"),
  ];
  const atLeast = reasons.length > 0 ? 1 : 0;
  // Batches that wait are calls once they run: those of mappings are the larger of the two, and not both.
  const value = Math.max(atLeast, running, wanted + events + due + redrives);
  return { reasons, metrics: [{ name: "calls", value, target: trigger.callsPerReplica }] };
}

function total(counts: readonly FunctionCount[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0);
}

function told(count: number, what: string): readonly string[] {
  return count > 0 ? [`${count} ${what}`] : [];
}
