import type { ControlLoop } from "./control-loop.ts";
import type { Disturbance } from "./evidence.ts";
import type { Fleet } from "./fleet.ts";
import type { FleetWitness } from "./fleet-witness.ts";
import {
  findEpochBreaks,
  findHandoverGaps,
  findOverlaps,
  findResumes,
  findStarved,
  findTakeovers,
  findUnleasedCalls,
  type JudgedRepeat,
  judgeRepeats,
  type Resume,
  type ResumeRule,
  type Takeover,
} from "./judge.ts";
import type { LeaseLedger } from "./lease-ledger.ts";

export interface ChaosProgress {
  readonly done: Readonly<Record<Disturbance["kind"], number>>;
  readonly appended: number;
  readonly distinct: number;
  readonly repeats: number;
  readonly processes: number;
}

export interface ChaosReport extends ChaosProgress {
  /** In sentences; empty when every law was kept. */
  readonly violations: readonly string[];
  readonly invocations: number;
  readonly failures: number;
  /** Of each record that came again, how long it had succeeded when its process was disturbed. */
  readonly repeatAgesMs: readonly number[];
  readonly resumes: readonly Resume[];
  readonly handoverGapsMs: readonly number[];
  /** Owners that leases had, one after the other. */
  readonly epochs: number;
  readonly checkpoints: number;
  /** Leases that ran out while nobody disturbed their owner: the machine was too busy to renew them. */
  readonly starved: number;
  readonly longestStallMs: number;
  readonly durationMs: number;
}

export interface Evidence {
  readonly progress: ChaosProgress;
  readonly witness: FleetWitness;
  readonly fleet: Fleet;
  readonly ledger: LeaseLedger;
  readonly control: ControlLoop;
  readonly lost: number;
  /** A record that comes again had succeeded at most a checkpoint's interval and a grace before the disturbance. */
  readonly rule: ResumeRule & { readonly checkpointIntervalMs: number; readonly leaseAtLeastMs: number };
  readonly durationMs: number;
}

/** Of each law that many break, so many are told. */
const TOLD = 10;
/**
 * A control loop that does nothing came so late, altogether, while a lease ran out: the machine was busy with others.
 */
const STALLED_MS = 1_000;

export function reportOf(evidence: Evidence): ChaosReport {
  const { progress, witness, fleet, ledger, control, rule, durationMs } = evidence;
  const { calls } = witness;
  const takeovers = findTakeovers(ledger.leases);
  const starved = findStarved(takeovers, fleet.disturbances);
  // What a process does whose lease runs out is judged as if it had been cut off.
  const slow = starved.map(
    ({ from: life, renewedMs: atMs, takenMs: untilMs }): Disturbance => ({
      kind: "cut",
      life,
      atMs,
      untilMs,
    }),
  );
  const disturbances = [...fleet.disturbances, ...slow];
  const judged = {
    takeovers,
    starved,
    resumes: findResumes(calls, disturbances, { changes: ledger.leases, watches: fleet.watches() }, rule),
    repeats: judgeRepeats(witness.repeats, disturbances, ledger.leases),
  };
  return {
    ...progress,
    starved: starved.length,
    violations: violationsOf(evidence, judged),
    invocations: calls.length,
    failures: witness.failures,
    repeatAgesMs: judged.repeats.flatMap(({ ageMs }) => ageMs ?? []),
    resumes: judged.resumes,
    handoverGapsMs: findHandoverGaps(calls, disturbances),
    epochs: new Set(ledger.leases.map(({ shardId, epoch }) => `${shardId} ${epoch}`)).size,
    checkpoints: ledger.checkpoints,
    longestStallMs: control.longestMs,
    durationMs,
  };
}

interface Judged {
  readonly takeovers: readonly Takeover[];
  readonly starved: readonly Takeover[];
  readonly resumes: readonly Resume[];
  readonly repeats: readonly JudgedRepeat[];
}

function violationsOf(
  { witness, fleet, ledger, control, lost, rule }: Evidence,
  { resumes, repeats, takeovers, starved }: Judged,
): readonly string[] {
  const { calls } = witness;
  const { disturbances } = fleet;
  // A machine that is busy with others delays those who take over or write checkpoints as well.
  const late = resumes.filter(
    ({ lateMs, watchedMs, resumedMs }) => lateMs > control.stallMs(watchedMs, resumedMs),
  );
  const old = repeats.filter(({ before, ageMs = 0 }) => {
    const stallMs = control.stallMs(before.endedMs, before.endedMs + ageMs);
    return ageMs > rule.checkpointIntervalMs + rule.graceMs + stallMs;
  });
  return [
    ...(lost > 0 ? [`${lost} records were lost`] : []),
    ...(witness.breachCount > 0 ? [`order was broken ${witness.breachCount} times`] : []),
    ...witness.breaches,
    ...tell("two owners at work", findOverlaps(calls, disturbances)),
    ...tell("started without the lease", findUnleasedCalls(calls, ledger.leases)),
    ...tell("an epoch that is not one more", findEpochBreaks(ledger.leases)),
    ...tell("a checkpoint was set back", ledger.setBack),
    ...tell(
      "a lease was taken too early",
      takeovers.filter(({ renewedMs, takenMs }) => takenMs - renewedMs < rule.leaseAtLeastMs),
    ),
    ...tell(
      "a lease ran out though nothing was in its way",
      starved.filter(({ renewedMs, takenMs }) => control.stallMs(renewedMs, takenMs) < STALLED_MS),
    ),
    ...tell(
      "repeated without need",
      repeats.filter(({ ageMs }) => ageMs === undefined),
    ),
    ...tell("repeated though it was long done", old),
    ...tell("work resumed late", late),
    ...fleet.accidents,
  ];
}

function tell(what: string, found: readonly unknown[]): readonly string[] {
  const told = found.slice(0, TOLD).map((each) => `${what}: ${JSON.stringify(each)}`);
  return found.length > TOLD ? [...told, `${what}: ${found.length - TOLD} more`] : told;
}
