import type { Attempt, MappingHistory } from "../history.ts";
import { isSettledIn, type SettledPlaces, settledPlaces } from "../settled-places.ts";
import type { Checker, Trial } from "./checker.ts";

/**
 * Within one ownership nothing is repeated that the process was told is done; a new owner repeats nothing that the
 * checkpoint it got calls settled; and where nothing fails, nothing is repeated at all, stop and hand-over included.
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
  },
};

function ownership(attempt: Attempt): string {
  return `${attempt.process.ordinal}/${attempt.epoch}`;
}

/** By shard and epoch: what the checkpoint said that came with the lease. */
function resumePlaces(mapping: MappingHistory): Map<string, SettledPlaces> {
  const places = new Map<string, SettledPlaces>();
  for (const event of mapping.events) {
    if (event.kind !== "leaseMoved" || event.move !== "acquired" || event.checkpoint === undefined) continue;
    places.set(`${event.shard.ordinal}/${event.epoch}`, settledPlaces(event.shard, event.checkpoint));
  }
  return places;
}

/** What a process was told after its drain deadline it may leave unsettled. */
function noteTold(attempt: Attempt, toldIn: Map<number, string>): void {
  const { process, toldAt } = attempt;
  if (toldAt === undefined || process.drainDeadline < toldAt) return;
  for (let index = 0; index < attempt.toldProcessed; index++) {
    const record = attempt.records[index];
    if (record !== undefined) toldIn.set(record.id, ownership(attempt));
  }
}

function checkStart(
  { report }: Trial,
  attempt: Attempt,
  toldIn: ReadonlyMap<number, string>,
  resumed: ReadonlyMap<string, SettledPlaces>,
  isFaultless: boolean,
): void {
  const places = resumed.get(`${attempt.shard.ordinal}/${attempt.epoch}`);
  for (const record of attempt.records) {
    const told = toldIn.get(record.id);
    const what = `attempt ${attempt.id} repeats ${record.position} of ${record.shard.shardId}`;
    if (told !== undefined && (isFaultless || told === ownership(attempt))) {
      report(attempt.startedAt, `${what}, which was done in ${told}`);
      return;
    }
    if (places !== undefined && isSettledIn(places, record.index)) {
      report(attempt.startedAt, `${what}, which the checkpoint called settled`);
      return;
    }
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
