import type { Attempt, MappingHistory } from "../history.ts";
import { isSettledIn, type SettledPlaces, settledPlaces } from "../settled-places.ts";
import { isIn } from "../world/log.ts";
import type { SimRecord, SimShard } from "../world/stream.ts";
import type { Checker, Trial } from "./checker.ts";

/**
 * Within one ownership nothing is repeated that the process was told is done; a new owner repeats nothing that the
 * checkpoint it got calls settled; and where nothing fails, nothing is repeated at all, stop and hand-over included.
 * What a crash can repeat is bounded from the other side: a checkpoint holds all that its writer knew when it was sent;
 * where the store answers, what is done is durable within the checkpoint interval; and nothing starts for an owner
 * whose work has not become durable for longer than a lease.
 */
export const duplicates: Checker = {
  id: "I7",
  title: "bounded duplicates",
  check(trial) {
    const { mapping, history } = trial;
    const toldIn = new Map<number, string>();
    const isFaultless = history.scenario.flavour !== "swarm";
    const resumed = resumePlaces(mapping);
    for (const event of mapping.events) {
      if (event.kind === "attemptTold") noteTold(event.attempt, toldIn);
      else if (event.kind === "attemptStarted") {
        checkStart(trial, event.attempt, toldIn, resumed, isFaultless);
      }
    }
    if (isFaultless) checkDeliveries(trial);
    checkCompleteness(trial);
  },
};

/** Clocks of processes run so much slower than the world's at most. */
const DRIFT = 0.002;

/** A write that runs already and the next one, with their timers, at a store that answers. */
const STORE_MS_MAX = 100;

interface Known {
  readonly record: SimRecord;
  readonly toldAt: number;
}

/** Done by answers to the writer of a checkpoint, in this ownership, strictly before it was sent. */
function checkCompleteness({ mapping, history, report }: Trial): void {
  const { flavour, settings } = history.scenario;
  const isFaultless = flavour !== "swarm";
  const storedWithinMs = isFaultless
    ? settings.checkpointIntervalMs + STORE_MS_MAX
    : Number.POSITIVE_INFINITY;
  const undurableMsMax =
    Math.max(settings.leaseDurationMs, 2 * settings.checkpointIntervalMs) * (1 + DRIFT) + STORE_MS_MAX;
  const open = new Map<string, Known[]>();
  for (const event of mapping.events) {
    if (event.kind === "attemptTold") {
      const { attempt } = event;
      if (attempt.process.drainDeadline < event.at || attempt.toldProcessed.length === 0) continue;
      const key = `${attempt.shard.shardId}/${ownership(attempt)}`;
      const known = open.get(key) ?? [];
      if (known.length === 0) open.set(key, known);
      for (const record of attempt.toldProcessed) {
        known.push({ record, toldAt: event.at });
      }
    } else if (event.kind === "attemptStarted") {
      const { attempt } = event;
      const [oldest] = open.get(`${attempt.shard.shardId}/${ownership(attempt)}`) ?? [];
      if (oldest === undefined || event.at - oldest.toldAt <= undurableMsMax) continue;
      const since = `${oldest.record.position}, done at ${oldest.toldAt.toFixed(1)}, is not durable`;
      report(event.at, `attempt ${attempt.id} starts while ${since}`);
    } else if (event.kind === "checkpointed") {
      const key = `${event.shard.shardId}/${event.process.ordinal}/${event.epoch}`;
      const known = open.get(key);
      if (known === undefined) continue;
      const places = settledPlaces(event.shard, event.checkpoint);
      const left: Known[] = [];
      let late: Known | undefined;
      for (const each of known) {
        // Nobody settles what another log has replaced.
        if (!isIn(event.shard, each.record)) continue;
        if (!isSettledIn(places, each.record.index)) left.push(each);
        else if (late === undefined && event.at - each.toldAt > storedWithinMs) late = each;
      }
      open.set(key, left);
      if (late !== undefined) {
        report(event.at, `${late.record.position}, done at ${late.toldAt.toFixed(1)}, is durable only now`);
      }
      const missed = left.find(({ toldAt }) => toldAt < event.requestedAt);
      if (missed === undefined) continue;
      const what = `${missed.record.position}, done at ${missed.toldAt.toFixed(1)}`;
      report(event.at, `a checkpoint of ${event.shard.shardId} by ${event.process.owner} leaves out ${what}`);
    }
  }
}

function ownership(attempt: Attempt): string {
  return `${attempt.process.ordinal}/${attempt.epoch}`;
}

/**
 * A range that reaches into what the log has lost by then may be read again, all of it. So may all ranges of a log that
 * has lost some: the source is asked for them, and may not answer.
 */
function isKnownSettled({ shard, places }: Resume, at: number, logs: readonly SimShard[], record: SimRecord) {
  let kept = shard.records.length;
  for (let log: SimShard | undefined = shard; log !== undefined && (log.goneAt ?? at) < at; ) {
    const before: SimShard = log;
    log = logs.find((each) => each.before?.log === before);
    kept = Math.min(kept, log?.before?.kept ?? 0);
  }
  const ranges = kept < shard.records.length ? [] : places.ranges;
  return isIn(shard, record) && isSettledIn({ reached: places.reached, ranges }, record.index);
}

interface Resume {
  readonly shard: SimShard;
  readonly places: SettledPlaces;
}

/** By shard and epoch: what the checkpoint said that came with the lease. */
function resumePlaces(mapping: MappingHistory): Map<string, Resume> {
  const places = new Map<string, Resume>();
  for (const event of mapping.events) {
    if (event.kind !== "leaseMoved" || event.move !== "acquired" || event.checkpoint === undefined) continue;
    places.set(`${event.shard.shardId}/${event.epoch}`, {
      shard: event.shard,
      places: settledPlaces(event.shard, event.checkpoint),
    });
  }
  return places;
}

/** What a process was told after its drain deadline it may leave unsettled. */
function noteTold(attempt: Attempt, toldIn: Map<number, string>): void {
  const { process, toldAt } = attempt;
  if (toldAt === undefined || process.drainDeadline < toldAt) return;
  const owned = ownership(attempt);
  for (const { id } of attempt.toldProcessed) toldIn.set(id, owned);
}

function checkStart(
  { mapping, report }: Trial,
  attempt: Attempt,
  toldIn: ReadonlyMap<number, string>,
  resumed: ReadonlyMap<string, Resume>,
  isFaultless: boolean,
): void {
  const resume = resumed.get(`${attempt.shard.shardId}/${attempt.epoch}`);
  const owned = ownership(attempt);
  for (const record of attempt.records) {
    const told = toldIn.get(record.id);
    const isRepeated = told !== undefined && (isFaultless || told === owned);
    const isSettled =
      resume !== undefined && isKnownSettled(resume, attempt.startedAt, mapping.stream.shards, record);
    if (!isRepeated && !isSettled) continue;
    const what = `attempt ${attempt.id} repeats ${record.position} of ${record.shard.shardId}`;
    const why = isRepeated ? `which was done in ${told}` : "which the checkpoint called settled";
    report(attempt.startedAt, `${what}, ${why}`);
    return;
  }
}

function checkDeliveries({ mapping, report }: Trial): void {
  const delivered = new Set<number>();
  for (const event of mapping.events) {
    if (event.kind !== "delivered") continue;
    for (const record of event.records) {
      if (delivered.has(record.id)) report(event.at, `record ${record.position} was delivered twice`);
      delivered.add(record.id);
    }
  }
}
