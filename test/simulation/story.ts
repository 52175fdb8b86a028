import type { Violation } from "./checkers/checker.ts";
import type { Attempt, History, HistoryEvent, MappingHistory } from "./history.ts";
import { settledPlaces } from "./settled-places.ts";
import { tellQueue } from "./tell-queue.ts";
import type { SimRecord, SimShard } from "./world/stream.ts";

const LINES_MAX = 50;
const LINES_AFTER = 3;

/** A failing run as a person reads it: what was set up, what happened, what was wrong. */
export function tellStory(history: History, violations: readonly Violation[]): string {
  const lines: Line[] = [];
  for (const mapping of history.mappings) {
    for (const event of mapping.events) {
      const text = describeEvent(event);
      if (text !== undefined) lines.push({ at: event.at, text: prefix(history, mapping) + text });
    }
    for (const shard of mapping.stream.shards) {
      if (shard.closedAt !== undefined) {
        lines.push({ at: shard.closedAt, text: `${prefix(history, mapping)}${name(shard)} is closed` });
      }
    }
  }
  for (const queue of history.queues) lines.push(...tellQueue(queue));
  for (const process of history.processes) {
    lines.push({ at: process.bornAt, text: `${process.owner} starts` });
    if (process.diedAt !== undefined) lines.push({ at: process.diedAt, text: `${process.owner} crashes` });
    if (process.stopCalledAt !== undefined) {
      lines.push({ at: process.stopCalledAt, text: `${process.owner} is stopped` });
    }
    if (process.stopResolvedAt !== undefined) {
      lines.push({ at: process.stopResolvedAt, text: `${process.owner} has stopped` });
    }
  }
  lines.push({ at: history.healedAt, text: "the world heals" });
  for (const { at, invariant, message } of violations) lines.push({ at, text: `✘ ${invariant}: ${message}` });
  lines.sort((a, b) => a.at - b.at);
  return [...setting(history), ...cut(lines, violations)].join("\n");
}

export interface Line {
  readonly at: number;
  readonly text: string;
}

function setting({ scenario }: History): string[] {
  const lines = [`seed ${scenario.seed}, ${scenario.flavour}, ${scenario.processes.length} process(es)`];
  for (const { mapping, workload, retentionMs } of scenario.mappings) {
    const { uuid: _, functionArn: __, eventSourceArn: ___, functionName: ____, ...settings } = mapping;
    lines.push(`  ${JSON.stringify(settings)}`);
    lines.push(
      `  ${workload.records} records in ${workload.shards} shard(s), retention ${retentionMs ?? "-"}`,
    );
  }
  for (const plan of scenario.queues ?? []) {
    const { uuid: _, functionArn: __, eventSourceArn: ___, functionName: ____, ...settings } = plan.mapping;
    lines.push(`  ${JSON.stringify(settings)}`);
    const kind = plan.isFifo ? "FIFO" : "standard";
    lines.push(
      `  ${plan.workload.records} messages, ${kind}, visibility ${plan.visibilityMs} ms, receives ${plan.receivesMax ?? "-"}`,
    );
  }
  lines.push(`  rates ${JSON.stringify(scenario.rates)}`);
  for (const fault of scenario.faults) lines.push(`  fault ${JSON.stringify(fault)}`);
  return lines;
}

/** Long stories end soon after the first violation and begin where room allows. */
function cut(lines: readonly Line[], violations: readonly Violation[]): string[] {
  const firstAt = Math.min(...violations.map((violation) => violation.at));
  const last = lines.findLastIndex((line) => line.at <= firstAt) + 1 + LINES_AFTER;
  const from = Math.max(0, Math.min(last, lines.length) - LINES_MAX);
  const told = lines.slice(from, last).map(({ at, text }) => `${at.toFixed(1).padStart(9)} ms  ${text}`);
  return from > 0 ? [`  … ${from} earlier lines`, ...told] : told;
}

function prefix(history: History, { mapping }: MappingHistory): string {
  return history.mappings.length > 1 ? `${mapping.name}: ` : "";
}

function describeEvent(event: HistoryEvent): string | undefined {
  switch (event.kind) {
    case "attemptStarted":
      return `${event.attempt.process.owner} → function: ${describeAttempt(event.attempt)}`;
    case "attemptRan":
      return undefined;
    case "attemptTold":
      return `${event.attempt.process.owner} ← attempt ${event.attempt.id}: ${event.attempt.told} (${event.attempt.plan})`;
    case "delivered": {
      const answer = event.accepted ? "accepted" : "refused";
      return `${event.process.owner} → destination, ${answer}: ${event.record.condition} ${places(event.records)}`;
    }
    case "secured":
      return `${event.process.owner} parks ${event.key}: ${places(event.records)}`;
    case "dropped":
      return `${event.process.owner} counts ${event.amount} ${event.counter}`;
    case "registered":
      return `${event.process.owner} registers ${name(event.shard)} from ${event.checkpoint.resume.kind}`;
    case "checkpointed": {
      const { reached, ranges } = settledPlaces(event.shard, event.checkpoint);
      const settled = ranges.map(([from, to]) => `${from}–${to - 1}`).join(" ");
      const end = event.checkpoint.ended ? ", ended" : "";
      return `${event.process.owner} checkpoints ${name(event.shard)}: below ${reached} ${settled}${end} (sent ${event.requestedAt.toFixed(1)})`;
    }
    case "leaseMoved":
      return event.move === "renewed"
        ? undefined
        : `${event.process.owner} ${event.move} ${name(event.shard)}, epoch ${event.epoch}${event.from === undefined ? "" : ` from ${event.from}`}`;
    case "leaseSought":
      return undefined;
    case "readReturned":
      return `${event.process.owner} reads ${name(event.shard)}: ${event.from}–${event.to - 1}`;
    case "readerClosed":
      return undefined;
    case "trimmed":
      return `${name(event.shard)} is trimmed below ${event.shard.trimmedAt.length}`;
  }
}

function describeAttempt({ id, shard, records, window, requestId }: Attempt): string {
  const final = window?.isFinalInvokeForWindow === true ? " (final)" : "";
  const state = window === undefined ? "" : ` state ${window.stateJson.slice(0, 20)}${final}`;
  return `attempt ${id} of ${name(shard)} ${places(records)} request ${requestId.slice(0, 4)}${state}`;
}

/** Indexes in the shard, runs shortened. */
function places(records: readonly SimRecord[]): string {
  const shown = records.slice(0, 12).map((record) => `${record.index}${record.poison ? "☠" : ""}`);
  return `[${shown.join(" ")}${records.length > 12 ? ` … ${records.length} in all` : ""}]`;
}

function name(shard: SimShard): string {
  return `shard ${shard.ordinal}`;
}
