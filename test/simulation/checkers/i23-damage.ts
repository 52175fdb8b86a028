import { type Delivered, isUnmade } from "../history.ts";
import { isOversized } from "../ledger.ts";
import type { SimRecord } from "../world/stream.ts";
import type { Checker, Trial } from "./checker.ts";

/**
 * A record of which no event can be made costs itself: no function is given it, it is given up alone and not for what
 * befell others, and every neighbour in its page comes to an end of its own.
 */
export const damage: Checker = {
  id: "I23",
  title: "damage stays small",
  check(trial) {
    const { mapping, report } = trial;
    const isDamaged = (record: SimRecord) => isUnmade(mapping, record);
    if (!mapping.stream.records.some(isDamaged)) return;
    for (const { id, records, startedAt } of mapping.attempts) {
      const damaged = records.find(isDamaged);
      if (damaged !== undefined) report(startedAt, `attempt ${id} has ${damaged.position}, which is damaged`);
    }
    for (const event of mapping.events) if (event.kind === "delivered") checkDelivery(trial, event);
    checkNeighbours(trial);
  },
};

function checkDelivery({ history, mapping, report }: Trial, { at, record, records }: Delivered): void {
  // What grew too old is given up together, whatever it is.
  if (record.condition === "RecordAgeExceeded") return;
  const damaged = records.find((each) => isUnmade(mapping, each));
  const count = record.batch.records?.count ?? 0;
  if (damaged !== undefined && count > 1)
    report(at, `${damaged.position} is damaged, and was given up with ${count - 1} others`);
  if (record.condition !== "MaximumPayloadSizeExceeded") return;
  const whole = records.find((each) => !isUnmade(mapping, each) && !isOversized(history, mapping, each));
  if (whole !== undefined) report(at, `${whole.position} was given up as damaged, and is whole`);
}

/** What was read beside a damaged record was handed to the function, or had aged or gone before it could be. */
function checkNeighbours({ mapping, history, ledger, report }: Trial): void {
  if (history.quiescentAt === undefined) return;
  const tried = new Set(mapping.attempts.flatMap(({ records }) => records));
  const judged = new Set<SimRecord>();
  for (const event of mapping.events) {
    if (event.kind !== "readReturned") continue;
    const page = event.shard.records.slice(event.from, event.to);
    if (!page.some((record) => isUnmade(mapping, record))) continue;
    for (const record of page) {
      if (judged.has(record)) continue;
      judged.add(record);
      const isExcused =
        !record.accepted ||
        isUnmade(mapping, record) ||
        isOversized(history, mapping, record) ||
        (ledger.agedAt[record.id] ?? 0) <= history.endedAt ||
        (ledger.securedAt[record.id] ?? 0) <= history.endedAt;
      if (isExcused || tried.has(record) || record.index < (mapping.owedFrom[record.shard.ordinal] ?? 0))
        continue;
      report(event.at, `${record.position} was read beside a damaged record, and reached no function`);
    }
  }
}
