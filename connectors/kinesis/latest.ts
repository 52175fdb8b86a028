import { setTimeout as sleep } from "node:timers/promises";
import type { StartPoint } from "../../src/model/record.ts";
import { abortedError, type KinesisApi, throwIfAborted } from "./kinesis-api.ts";
import type { QuotaTurn } from "./shard-quota.ts";

/** Before the service's time, for what its hosts' clocks differ by. */
const MARGIN_MS = 1_000;
const PAGES_MAX = 50;
const PAGE_RECORDS = 10_000;

/**
 * A durable place just behind a shard's newest record. An iterator of type LATEST is none: it expires in five minutes.
 * So the shard is read from a moment ago to its tip, and the place is behind the last record of that; when there was
 * none, the moment itself is the place. Nothing is left out that arrives after this call, and nothing repeated.
 */
export async function captureLatest(
  api: KinesisApi,
  shardId: string,
  turn: QuotaTurn,
  signal: AbortSignal,
): Promise<StartPoint> {
  throwIfAborted(signal);
  const epochMs = api.serviceTimeMs() - MARGIN_MS;
  let iterator: string | undefined = await api.shardIterator(shardId, { kind: "timestamp", epochMs }, signal);
  let latest: StartPoint = { kind: "timestamp", epochMs };
  // More pages than this hold more than the moment can: the shard grows faster than it is read.
  for (let pages = 0; pages < PAGES_MAX && iterator !== undefined; pages++) {
    for (let waitMs = turn.waitMs(); waitMs > 0; waitMs = turn.waitMs()) await pause(waitMs, signal);
    turn.use();
    const page = await api.records(iterator, PAGE_RECORDS, signal);
    turn.spent(page.records.reduce((bytes, { data }) => bytes + data.length, 0));
    const last = page.records.at(-1);
    if (last !== undefined) latest = { kind: "after", position: last.sequenceNumber };
    if ((page.lagMs ?? 0) === 0 && page.records.length < PAGE_RECORDS) break;
    iterator = page.nextIterator;
  }
  return latest;
}

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(durationMs, undefined, { signal });
  } catch {
    throw abortedError();
  }
}
