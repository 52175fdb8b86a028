import type { Call, Disturbance, LeaseChange, Watch } from "./evidence.ts";

/** All times are epoch milliseconds of one host's clock. */

export interface Overlap {
  readonly first: Call;
  readonly second: Call;
}

/** A record that succeeded again: the call that it had succeeded in last, and the one in which it did again. */
export interface Repeat {
  readonly position: string;
  readonly before: Call;
  readonly after: Call;
}

/**
 * A repeat and how long before the disturbance that excuses it the record had succeeded; `undefined`: nothing excuses
 * it.
 */
export interface JudgedRepeat extends Repeat {
  readonly ageMs: number | undefined;
}

/**
 * Two processes at work on one shard (I6). Calls of different lives overlap when the second was started before the
 * first had ended. That is excused only where the first was in flight already when its process was killed or paused,
 * and the second was started after that: such a call cannot be recalled. A call that is decided after a pause is
 * excused by nothing.
 */
export function findOverlaps(
  calls: readonly Call[],
  disturbances: readonly Disturbance[],
): readonly Overlap[] {
  const overlaps: Overlap[] = [];
  for (const ofShard of byShard(calls).values()) {
    let open: Call[] = [];
    for (const second of ofShard.toSorted((a, b) => a.startedMs - b.startedMs)) {
      open = open.filter(({ endedMs }) => endedMs > second.startedMs);
      for (const first of open) {
        if (first.life !== second.life && !wasInFlight(first, second, disturbances))
          overlaps.push({ first, second });
      }
      open.push(second);
    }
  }
  return overlaps;
}

/** Calls that were started while the store had the shard in nobody's or another's name (I6). */
export function findUnleasedCalls(calls: readonly Call[], changes: readonly LeaseChange[]): readonly Call[] {
  const leases = byShard(changes);
  return [...byShard(calls)].flatMap(([shardId, ofShard]) => {
    const ofLease = leases.get(shardId) ?? [];
    let next = 0;
    let holder: number | undefined;
    return ofShard
      .toSorted((a, b) => a.startedMs - b.startedMs)
      .filter(({ life, startedMs }) => {
        for (let change = ofLease[next]; change !== undefined && change.atMs <= startedMs; ) {
          holder = change.life;
          change = ofLease[++next];
        }
        return holder !== life;
      });
  });
}

/** A lease that was taken from a process that had not given it back. */
export interface Takeover {
  readonly shardId: string;
  readonly from: number;
  readonly to: number;
  /** When its owner had renewed it last, and when it was taken. */
  readonly renewedMs: number;
  readonly takenMs: number;
}

export function findTakeovers(changes: readonly LeaseChange[]): readonly Takeover[] {
  const takeovers: Takeover[] = [];
  for (const [shardId, ofShard] of byShard(changes)) {
    let last: LeaseChange | undefined;
    for (const change of ofShard) {
      // A checkpoint renews nothing: whoever waits for the lease does not see it.
      if (!change.isSignOfLife) continue;
      const { life: from, atMs: renewedMs } = last ?? {};
      const { life: to, atMs: takenMs } = change;
      last = change;
      if (from === undefined || to === undefined || from === to || renewedMs === undefined) continue;
      takeovers.push({ shardId, from, to, renewedMs, takenMs });
    }
  }
  return takeovers;
}

/** Of processes that nobody disturbed: too slow to renew. They are as those that were cut off for that time. */
export function findStarved(
  takeovers: readonly Takeover[],
  disturbances: readonly Disturbance[],
): readonly Takeover[] {
  return takeovers.filter(
    ({ from, renewedMs, takenMs }) =>
      !disturbances.some(
        ({ kind, life, atMs, untilMs = Number.POSITIVE_INFINITY }) =>
          kind !== "stop" && life === from && atMs <= takenMs && untilMs >= renewedMs,
      ),
  );
}

/** Changes that break the law of epochs: one higher at every new owner, never otherwise. */
export function findEpochBreaks(changes: readonly LeaseChange[]): readonly LeaseChange[] {
  return [...byShard(changes).values()].flatMap((ofShard) =>
    ofShard.filter(({ epoch, life }, index) => {
      const before = ofShard[index - 1] ?? { epoch: 0, life: undefined };
      const isSame = epoch === before.epoch && (life === before.life || life === undefined);
      return !isSame && !(epoch === before.epoch + 1 && life !== undefined);
    }),
  );
}

/**
 * What excuses repeats (I7): the process of the success was killed, paused or cut off after it, and the success was in
 * no checkpoint when the shard got its next owner. A hand-over, and a process that keeps its lease, repeat nothing.
 */
export function judgeRepeats(
  repeats: readonly Repeat[],
  disturbances: readonly Disturbance[],
  changes: readonly LeaseChange[],
): readonly JudgedRepeat[] {
  const leases = byShard(changes);
  return repeats.map((repeat) => {
    const { position } = repeat;
    // A call that began first and ended last was overtaken by the other one: that is the one that repeats.
    const isOvertaken = repeat.after.startedMs < repeat.before.startedMs;
    const [before, after] = isOvertaken ? [repeat.after, repeat.before] : [repeat.before, repeat.after];
    const ofShard = leases.get(after.shardId) ?? [];
    const taken = acquireOf(ofShard, after);
    const wasNew = taken !== undefined && taken !== acquireOf(ofShard, before) && !taken.isSettled(position);
    const excuses = disturbances.filter(
      (each) => wasInFlight(before, after, [each]) || wasCutOff(before, after, [each]),
    );
    const atMs = Math.min(...excuses.map((each) => each.atMs));
    return { ...repeat, ageMs: wasNew && excuses.length > 0 ? atMs - before.endedMs : undefined };
  });
}

/** The change by which the process of this call had got the shard. */
function acquireOf(ofShard: readonly LeaseChange[], call: Call): LeaseChange | undefined {
  return ofShard.findLast(
    ({ life, epoch, atMs }, index) =>
      atMs <= call.startedMs && life === call.life && ofShard[index - 1]?.epoch !== epoch,
  );
}

/** A shard of a disturbed process, and how long it stood still. */
export interface Resume {
  readonly disturbance: Disturbance;
  readonly shardId: string;
  /** Who got the shard, and when. */
  readonly takenBy: number;
  readonly takenMs: number;
  readonly resumedMs: number;
  /** When the process that should have taken it over began to watch: at the kill, or at its start after it. */
  readonly watchedMs: number;
  /** Resumed so late after lease duration and grace; 0 or less: in time. */
  readonly lateMs: number;
}

export interface ResumeRule {
  readonly leaseDurationMs: number;
  readonly graceMs: number;
}

/**
 * For every shard that a process held when it was killed, paused or cut off: when work on it went on. It is due a lease
 * and a grace after the first other process watched it undisturbed for so long. Not judged: shards that nobody could
 * watch so long before they resumed; those whose next owner was disturbed as well before it began; what came after the
 * last call.
 */
export function findResumes(
  calls: readonly Call[],
  disturbances: readonly Disturbance[],
  { changes, watches }: { readonly changes: readonly LeaseChange[]; readonly watches: readonly Watch[] },
  { leaseDurationMs, graceMs }: ResumeRule,
): readonly Resume[] {
  const ofShards = byShard(calls.toSorted((a, b) => a.startedMs - b.startedMs));
  const leases = [...byShard(changes)];
  const dueMs = leaseDurationMs + graceMs;
  const resumes: Resume[] = [];
  for (const disturbance of disturbances) {
    if (disturbance.kind === "stop") continue;
    const { life, atMs } = disturbance;
    const watchedMs = watches
      .filter((watch) => watch.life !== life && watch.toMs >= Math.max(watch.fromMs, atMs) + dueMs)
      .reduce((first, { fromMs }) => Math.min(first, Math.max(fromMs, atMs)), Number.POSITIVE_INFINITY);
    if (watchedMs === Number.POSITIVE_INFINITY) continue;
    for (const [shardId, ofShard] of leases) {
      if (ofShard.findLast((change) => change.atMs <= atMs)?.life !== life) continue;
      const resumed = resumeOf(ofShards.get(shardId) ?? [], ofShard, disturbance);
      if (resumed === undefined || wasDisturbed(resumed, disturbances)) continue;
      const lateMs = resumed.startedMs - watchedMs - dueMs;
      const { life: takenBy, takenMs, startedMs: resumedMs } = resumed;
      resumes.push({ disturbance, shardId, takenBy, takenMs, resumedMs, watchedMs, lateMs });
    }
  }
  return resumes;
}

interface Resumed {
  /** Who got the shard, and when. */
  readonly life: number;
  readonly takenMs: number;
  /** Of the first call from then on. */
  readonly startedMs: number;
}

/** By the next owner, or by the same process again when that came first. */
function resumeOf(
  calls: readonly Call[],
  ofShard: readonly LeaseChange[],
  { life, atMs, untilMs = Number.POSITIVE_INFINITY }: Disturbance,
): Resumed | undefined {
  const next = ofShard.find(
    (change) => change.atMs > atMs && change.life !== undefined && change.life !== life,
  );
  const own = calls.find((call) => call.life === life && call.startedMs > untilMs);
  if (own !== undefined && own.startedMs < (next?.atMs ?? Number.POSITIVE_INFINITY))
    return { life, takenMs: own.startedMs, startedMs: own.startedMs };
  if (next?.life === undefined) return undefined;
  const first = calls.find(({ startedMs }) => startedMs >= next.atMs);
  return first && { life: next.life, takenMs: next.atMs, startedMs: first.startedMs };
}

/** Between its taking the shard and the first call. */
function wasDisturbed({ life, takenMs, startedMs }: Resumed, disturbances: readonly Disturbance[]): boolean {
  return disturbances.some((each) => {
    // What the dead had sent may still reach the store.
    const untilMs = each.untilMs ?? Number.POSITIVE_INFINITY;
    return each.life === life && each.atMs <= startedMs && untilMs >= takenMs;
  });
}

/**
 * Milliseconds between the last call of a process that was stopped and the next owner's first, for each of its shards.
 */
export function findHandoverGaps(
  calls: readonly Call[],
  disturbances: readonly Disturbance[],
): readonly number[] {
  const stops = disturbances.filter(({ kind }) => kind === "stop");
  const stoppedMs = new Map(stops.map(({ life, atMs }) => [life, atMs]));
  const gaps: number[] = [];
  for (const ofShard of byShard(calls).values()) {
    const sorted = ofShard.toSorted((a, b) => a.startedMs - b.startedMs);
    for (const [index, call] of sorted.entries()) {
      const next = sorted[index + 1];
      if (next === undefined || next.life === call.life) continue;
      // One that lost the shard otherwise, and was stopped later, handed nothing over.
      const atMs = stoppedMs.get(call.life) ?? Number.POSITIVE_INFINITY;
      if (atMs <= next.startedMs) gaps.push(next.startedMs - call.endedMs);
    }
  }
  return gaps;
}

/** Its success could not be written down; it goes on until its lease ends. */
function wasCutOff(
  first: Pick<Call, "life" | "startedMs">,
  second: Pick<Call, "startedMs">,
  disturbances: readonly Disturbance[],
): boolean {
  return disturbances.some(
    ({ kind, life, atMs, untilMs = Number.POSITIVE_INFINITY }) =>
      kind === "cut" && life === first.life && atMs <= second.startedMs && first.startedMs <= untilMs,
  );
}

function wasInFlight(
  first: Pick<Call, "life" | "startedMs">,
  second: Pick<Call, "startedMs">,
  disturbances: readonly Disturbance[],
): boolean {
  return disturbances.some(({ kind, life, atMs }) => {
    if (life !== first.life || atMs > second.startedMs) return false;
    // What is dead decides nothing: all its calls were in flight. A paused process goes on.
    return kind === "kill" || (kind === "pause" && first.startedMs <= atMs);
  });
}

function byShard<Item extends { readonly shardId: string }>(items: readonly Item[]): Map<string, Item[]> {
  const shards = new Map<string, Item[]>();
  for (const item of items) {
    const ofShard = shards.get(item.shardId);
    if (ofShard === undefined) shards.set(item.shardId, [item]);
    else ofShard.push(item);
  }
  return shards;
}
