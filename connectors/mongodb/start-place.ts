import type { StartPoint } from "../../src/model/record.ts";
import type { MongoCluster } from "./cluster.ts";
import { isHistoryLost } from "./fault.ts";
import { type ChangePlace, type OperationTime, parsePosition } from "./position.ts";

/** The log goes on losing its oldest changes while they are asked for. */
const TRIES_MAX = 4;
/** Operations of a second are counted from 1 on. */
const FIRST_OF_SECOND = 1;

/** Where reading begins. What is asked of a time that the log no longer has begins with the oldest change. */
export async function placeOf(
  cluster: MongoCluster,
  start: StartPoint,
  signal: AbortSignal,
): Promise<ChangePlace> {
  switch (start.kind) {
    case "after":
      return parsePosition(start.position);
    case "oldest":
      return await oldestPlace(cluster, signal);
    case "timestamp": {
      const seconds = Math.max(1, Math.ceil(start.epochMs / 1000));
      const place = { kind: "time", time: { seconds, count: FIRST_OF_SECOND } } as const;
      return (await isKept(cluster, place, signal)) ? place : await oldestPlace(cluster, signal);
    }
  }
}

/** The oldest place from which the server still gives changes. */
export async function oldestPlace(cluster: MongoCluster, signal: AbortSignal): Promise<ChangePlace> {
  for (let tries = 1; ; tries++) {
    const time = (await cluster.oldestLogged(signal)) ?? (await searchOldest(cluster, signal));
    const place = { kind: "time", time } as const;
    if (tries === TRIES_MAX || (await isKept(cluster, place, signal))) return place;
  }
}

/** Whether a stream can begin there: the server's own word. */
export async function isKept(
  cluster: MongoCluster,
  place: ChangePlace,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await cluster.tryStart(place, signal);
    return true;
  } catch (error) {
    if (isHistoryLost(error)) return false;
    throw error;
  }
}

/** Who may not look into the server's log finds its beginning by asking for places: about thirty times. */
async function searchOldest(cluster: MongoCluster, signal: AbortSignal): Promise<OperationTime> {
  const latest = await cluster.latestOperation(signal);
  let [lost, kept] = [0, latest?.seconds ?? 1];
  while (kept - lost > 1) {
    const seconds = Math.floor((lost + kept) / 2);
    const place = { kind: "time", time: { seconds, count: FIRST_OF_SECOND } } as const;
    if (await isKept(cluster, place, signal)) kept = seconds;
    else lost = seconds;
  }
  return { seconds: kept, count: FIRST_OF_SECOND };
}
