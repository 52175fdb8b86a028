import type { Attempt, Checkpointed, MappingHistory } from "../history.ts";
import { SettledPlaces, settledPlaces } from "../settled-places.ts";
import { isIn } from "../world/log.ts";
import type { SimProcess } from "../world/process.ts";
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
    /** By record id: the last attempt in which a process was told that it is done. */
    const toldIn: (Attempt | undefined)[] = [];
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
  const open = new Owned<Known[]>();
  for (const event of mapping.events) {
    if (event.kind === "attemptTold") {
      const { shard, process, epoch, startedAt, toldProcessed } = event.attempt;
      if (process.drainDeadline < event.at || toldProcessed.length === 0) continue;
      // Given up when its shard was handed over: nobody hears what became of it.
      if (process.drainsPassed.some((at) => startedAt <= at && at <= event.at)) continue;
      const known = open.of(shard, process, epoch) ?? [];
      if (known.length === 0) open.set(shard, process, epoch, known);
      for (const record of toldProcessed) known.push({ record, toldAt: event.at });
    } else if (event.kind === "attemptStarted") {
      const { id, shard, process, epoch } = event.attempt;
      const oldest = open.of(shard, process, epoch)?.[0];
      if (oldest === undefined || event.at - oldest.toldAt <= undurableMsMax) continue;
      const since = `${oldest.record.position}, done at ${oldest.toldAt.toFixed(1)}, is not durable`;
      report(event.at, `attempt ${id} starts while ${since}`);
    } else if (event.kind === "checkpointed") {
      const known = open.of(event.shard, event.process, event.epoch);
      if (known === undefined) continue;
      const late = forgetDurable(known, event, storedWithinMs);
      if (late !== undefined) {
        report(event.at, `${late.record.position}, done at ${late.toldAt.toFixed(1)}, is durable only now`);
      }
      const missed = known.find(({ toldAt }) => toldAt < event.requestedAt);
      if (missed === undefined) continue;
      const what = `${missed.record.position}, done at ${missed.toldAt.toFixed(1)}`;
      report(event.at, `a checkpoint of ${event.shard.shardId} by ${event.process.owner} leaves out ${what}`);
    }
  }
}

/** Leaves what is not durable yet, and gives the first that has become it too late. */
function forgetDurable(known: Known[], event: Checkpointed, storedWithinMs: number): Known | undefined {
  const { shard, checkpoint, at } = event;
  const places = settledPlaces(shard, checkpoint);
  let late: Known | undefined;
  let left = 0;
  for (const each of known) {
    const { record, toldAt } = each;
    // Nobody settles what another log has replaced.
    if (!isIn(shard, record)) continue;
    if (!places.has(record.index)) known[left++] = each;
    else if (late === undefined && at - toldAt > storedWithinMs) late = each;
  }
  known.length = left;
  return late;
}

/** By shard's name and ownership. */
class Owned<T> {
  readonly #byShard = new Map<string, Map<number, T>>();

  of({ shardId }: SimShard, process: SimProcess, epoch: number | undefined): T | undefined {
    return this.#byShard.get(shardId)?.get(ownership(process, epoch));
  }

  set({ shardId }: SimShard, process: SimProcess, epoch: number | undefined, value: T): void {
    const ofShard = this.#byShard.get(shardId) ?? new Map<number, T>();
    this.#byShard.set(shardId, ofShard.set(ownership(process, epoch), value));
  }
}

/** More than there are processes. */
const PROCESSES_MAX = 1_000;

function ownership({ ordinal }: SimProcess, epoch = -1): number {
  return epoch * PROCESSES_MAX + ordinal;
}

function isSameOwnership(a: Attempt, b: Attempt): boolean {
  return a.process === b.process && a.epoch === b.epoch;
}

/**
 * What of a checkpoint holds still. A range that reaches into what the log has lost by then may be read again, all of
 * it. So may all ranges of a log that has lost some: the source is asked for them, and may not answer.
 */
function knownPlaces({ shard, places }: Resume, at: number, logs: readonly SimShard[]): SettledPlaces {
  let kept = shard.records.length;
  for (let log: SimShard | undefined = shard; log !== undefined && (log.goneAt ?? at) < at; ) {
    const before: SimShard = log;
    log = logs.find((each) => each.before?.log === before);
    kept = Math.min(kept, log?.before?.kept ?? 0);
  }
  return kept < shard.records.length ? new SettledPlaces(places.reached, []) : places;
}

interface Resume {
  readonly shard: SimShard;
  readonly places: SettledPlaces;
}

/** By shard's name and epoch: what the checkpoint said that came with the lease. */
type Resumes = Map<string, Map<number | undefined, Resume>>;

function resumePlaces(mapping: MappingHistory): Resumes {
  const resumes: Resumes = new Map();
  for (const event of mapping.events) {
    if (event.kind !== "leaseMoved" || event.move !== "acquired" || event.checkpoint === undefined) continue;
    const { shard, epoch, checkpoint } = event;
    const ofShard = resumes.get(shard.shardId) ?? new Map<number | undefined, Resume>();
    resumes.set(shard.shardId, ofShard.set(epoch, { shard, places: settledPlaces(shard, checkpoint) }));
  }
  return resumes;
}

/** What a process was told after its drain deadline it may leave unsettled. */
function noteTold(attempt: Attempt, toldIn: (Attempt | undefined)[]): void {
  const { process, toldAt } = attempt;
  if (toldAt === undefined || process.drainDeadline < toldAt) return;
  for (const { id } of attempt.toldProcessed) toldIn[id] = attempt;
}

function checkStart(
  { mapping, report }: Trial,
  attempt: Attempt,
  toldIn: readonly (Attempt | undefined)[],
  resumed: Resumes,
  isFaultless: boolean,
): void {
  const resume = resumed.get(attempt.shard.shardId)?.get(attempt.epoch);
  const places = resume && knownPlaces(resume, attempt.startedAt, mapping.stream.shards);
  for (const record of attempt.records) {
    const told = toldIn[record.id];
    const isRepeated = told !== undefined && (isFaultless || isSameOwnership(told, attempt));
    const isSettled =
      resume !== undefined && isIn(resume.shard, record) && places?.has(record.index) === true;
    if (!isRepeated && !isSettled) continue;
    const what = `attempt ${attempt.id} repeats ${record.position} of ${record.shard.shardId}`;
    const why = isRepeated ? `which was done in attempt ${told.id}` : "which the checkpoint called settled";
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
