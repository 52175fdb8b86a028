import type { MappingHistory } from "../history.ts";
import type { QueueHistory } from "../queue-history.ts";
import type { WeightChange } from "../scenario.ts";
import type { SimProcess } from "../world/process.ts";
import { UNCHANGED } from "../world/weights.ts";
import type { Checker } from "./checker.ts";
import { keyOrder } from "./i2-key-order.ts";
import { groupOrder } from "./queues/i2-group-order.ts";
import type { QueueChecker } from "./queues/queue-checker.ts";

/** A call of a function, as far as it matters which version got it. */
interface SidedCall {
  readonly id: number;
  readonly process: SimProcess;
  readonly startedAt: number;
  readonly version: number | undefined;
  readonly keys: readonly string[];
  /** Of its records none was in a call before: it was cut of what waited. */
  readonly isFirst: boolean;
}

interface KeyStanding {
  readonly call: SidedCall;
  /** Which change of the alias its process had seen. */
  readonly view: number;
}

type Report = (atMs: number, message: string) => void;

/**
 * A call goes to a version that the alias has for its process. The new version sees keys of its side alone, and has
 * them at last; and a key that it has seen goes to the old one only when the rollout has gone back, or when another
 * process has it that has not seen the step yet.
 */
export const sides: Checker = {
  id: "I38",
  title: "versions by key",
  check({ history, mapping, report }) {
    // Windows that an update switches on or off go by their keys at one time and as a whole at another.
    if (mapping.plan.weights === undefined || mapping.windowUpdates.length > 0) return;
    const isWhole = mapping.mapping.tumblingWindowMs > 0;
    const tried = new Set<number>();
    const isCutLater = history.scenario.settings.payloadBytesMax < 1_000_000;
    const hasParts = isCutLater || (mapping.plan.workload.unmadeShare ?? 0) > 0;
    const calls = mapping.attempts.map(({ id, process, startedAt, version, records, shard }): SidedCall => {
      const isFirst = !hasParts && !isWhole && records.every((record) => !tried.has(record.id));
      for (const record of records) tried.add(record.id);
      // A stream that was made anew, or a shard that lost its end, begins anew.
      const keys = isWhole
        ? [`${shard.ordinal}/${shard.shardId}`]
        : records.map(({ key, shard: { life } }) => `${life}/${key}`);
      return { id, process, startedAt, version, keys, isFirst };
    });
    judge(mapping, calls, report);
  },
};

export const groupSides: QueueChecker = {
  id: "I38",
  title: "versions by group",
  check({ queue, report }) {
    if (queue.plan.weights === undefined) return;
    const calls = queue.attempts.map(({ id, process, startedAt, version, deliveries }): SidedCall => {
      const keys = queue.plan.isFifo ? deliveries.map(({ sent }) => `0/${sent.groupId}`) : [];
      return { id, process, startedAt, version, keys, isFirst: false };
    });
    judge(queue, calls, report);
  },
};

/** As I2, across all changes of weights. */
export const orderUnderRollout: Checker = {
  id: "I39",
  title: "order per key under rollout",
  check(trial) {
    if (trial.mapping.plan.weights !== undefined) keyOrder.check(trial);
  },
};

export const groupOrderUnderRollout: QueueChecker = {
  id: "I39",
  title: "order per group under rollout",
  check(trial) {
    if (trial.queue.plan.weights !== undefined) groupOrder.check(trial);
  },
};

function judge(history: MappingHistory | QueueHistory, calls: readonly SidedCall[], report: Report): void {
  const { weights = [] } = history.plan;
  const changeAt = (view: number) => weights[view] ?? UNCHANGED;
  const placeOf = (key: string) => placeOfKey(history.mapping.uuid + key.slice(key.indexOf("/") + 1));
  const standings = new Map<string, KeyStanding>();
  for (const call of calls) {
    const view = viewOf(history, call);
    const change = changeAt(view);
    const { from, to, weight } = change;
    const known = weight === 0 ? [from] : weight === 1 ? [to] : [from, to];
    const told = (what: string) => report(call.startedAt, `attempt ${call.id} ${what}`);
    if (call.version === undefined || !known.includes(call.version)) {
      told(`went to version ${call.version}, and not to ${known.join(" or ")}`);
      continue;
    }
    for (const key of new Set(call.keys)) {
      const isNew = weight < 1 && placeOf(key) < weight;
      if (weight < 1 && call.version === to && !isNew)
        told(`brought ${key} to version ${to} before its turn`);
      const before = standings.get(key);
      standings.set(key, { call, view });
      if (before === undefined) continue;
      const isBack = call.version < (before.call.version ?? 0) && before.view <= view;
      if (isBack && !goesBack(weights, before, view)) told(`brought ${key} back to version ${call.version}`);
      // What was cut before the step may wait for its place; what is cut behind it has seen the step.
      const isSecond = before.view === view && before.call.process === call.process;
      const isStale = call.isFirst && isSecond && before.call.startedAt < call.startedAt;
      if (isStale && isNew && call.version === from) told(`left ${key} with version ${from}`);
    }
  }
}

function viewOf({ views }: MappingHistory | QueueHistory, { process, startedAt }: SidedCall): number {
  return views.get(process)?.findLast(({ at }) => at <= startedAt)?.index ?? -1;
}

/** The rollout that had brought the version has gone back since. */
function goesBack(weights: readonly WeightChange[], { call, view }: KeyStanding, until: number): boolean {
  return weights.slice(view + 1, until + 1).some(({ to, weight }) => to === call.version && weight === 0);
}

/** As `KeySplit` has it, written anew: FNV-1a over the alias's id and the key, and murmur3's finaliser. */
function placeOfKey(text: string): number {
  let hash = 0x811c9dc5;
  for (const unit of text) hash = Math.imul(hash ^ unit.charCodeAt(0), 16_777_619);
  for (const factor of [0x85ebca6b, 0xc2b2ae35]) {
    hash = Math.imul(hash ^ (hash >>> (factor === 0x85ebca6b ? 16 : 13)), factor);
  }
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
