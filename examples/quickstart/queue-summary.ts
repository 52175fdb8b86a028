import type { Arrival } from "./arrivals-queue.ts";
import { readJsonLines } from "./json-lines.ts";
import { formatNumber, formatRepeated, type Summary } from "./summary.ts";

/** One invocation of the queue's function. */
export interface SeenBatch {
  readonly requestId: string;
  /** Group and place of each message that it could read. */
  readonly arrived: readonly (readonly [groupId: string, place: number])[];
  /** Groups with a message that it could not read. */
  readonly failed: readonly string[];
}

export interface QueueRun {
  readonly sent: readonly Arrival[];
  /** In the order in which the function wrote them. */
  readonly seen: readonly SeenBatch[];
  /** Bodies in the dead-letter queue, and of what is on the queue still. */
  readonly deadLetters: readonly string[];
  readonly waiting: readonly string[];
  readonly batchesBefore: number;
}

/** Judges by what the function saw and what the queues hold, not by what the engine says. */
export function summariseQueue({ sent, seen, deadLetters, waiting, batchesBefore }: QueueRun): Summary {
  const deliveries = new Map<number, number>();
  for (const [, place] of seen.flatMap(({ arrived }) => arrived)) {
    deliveries.set(place, (deliveries.get(place) ?? 0) + 1);
  }
  const poison = sent.filter(({ isPoison }) => isPoison);
  const isolated = poison.filter(({ body, place }) => deadLetters.includes(body) && !deliveries.has(place));
  const othersDead = deadLetters.length - isolated.length;
  const lost = sent.filter(
    ({ place, body }) => !deliveries.has(place) && !deadLetters.includes(body) && !waiting.includes(body),
  );
  const groups = new Set(sent.map(({ groupId }) => groupId));
  const disordered = disorderedGroups(seen);
  const poisonGroups = new Set(poison.map(({ groupId }) => groupId));
  const attempts = seen.filter(({ failed }) => failed.some((groupId) => poisonGroups.has(groupId)));
  const { wentOn, blocked } = othersWhileTried(attempts, seen, poisonGroups);
  const repeated = [...deliveries.values()].reduce((sum, times) => sum + times - 1, 0);
  const batches = seen.length - batchesBefore;
  return {
    title: "The FIFO queue",
    rows: [
      ["messages sent", `${formatNumber(sent.length)} in ${groups.size} groups`],
      ["invocations", `${formatNumber(batches)} in this run, ${formatNumber(seen.length)} in all`],
      ["groups in order", `${groups.size - disordered.size} of ${groups.size}`],
      ["groups blocked by another", `${blocked.size}: ${wentOn.size} went on while one was tried again`],
      [
        "unreadable messages isolated",
        `${isolated.length} of ${poison.length} in the dead-letter queue after ${attempts.length} attempts, and ${othersDead} others`,
      ],
      ["messages still on the queue", formatNumber(waiting.length)],
      ["messages lost", formatNumber(lost.length)],
      ["messages repeated", formatRepeated(repeated)],
    ],
    isRight:
      lost.length === 0 &&
      waiting.length === 0 &&
      disordered.size === 0 &&
      blocked.size === 0 &&
      isolated.length === poison.length &&
      othersDead === 0,
  };
}

/** Groups whose messages succeeded for the first time in another order than they were sent in. */
function disorderedGroups(seen: readonly SeenBatch[]): ReadonlySet<string> {
  const newest = new Map<string, number>();
  const known = new Set<number>();
  const disordered = new Set<string>();
  for (const [groupId, place] of seen.flatMap(({ arrived }) => arrived)) {
    if (known.has(place)) continue;
    known.add(place);
    if (place < (newest.get(groupId) ?? -1)) disordered.add(groupId);
    newest.set(groupId, place);
  }
  return disordered;
}

/**
 * Groups that got messages through between the attempts on the unreadable one, and groups that had to wait for its end.
 */
function othersWhileTried(
  attempts: readonly SeenBatch[],
  seen: readonly SeenBatch[],
  poisonGroups: ReadonlySet<string>,
) {
  const firstAttempt = attempts[0];
  const lastAttempt = attempts.at(-1);
  if (firstAttempt === undefined || lastAttempt === undefined) {
    return { wentOn: new Set(), blocked: new Set() };
  }
  const [first, last] = [seen.indexOf(firstAttempt), seen.indexOf(lastAttempt)];
  const isOther = (groupId: string) => !poisonGroups.has(groupId);
  const wentOn = new Set(groupsIn(seen.slice(first, last)).filter(isOther));
  const later = groupsIn(seen.slice(last + 1)).filter(isOther);
  return { wentOn, blocked: new Set(later.filter((groupId) => !wentOn.has(groupId))) };
}

function groupsIn(seen: readonly SeenBatch[]): readonly string[] {
  return seen.flatMap(({ arrived }) => arrived.map(([groupId]) => groupId));
}

export function readSeenBatches(path: string): readonly SeenBatch[] {
  return readJsonLines(path) as readonly SeenBatch[];
}
