import { openLocalSource } from "../../connectors/local/source.ts";
import { parseStreamArn } from "../../connectors/local/stream-arn.ts";
import type { StreamFile } from "../../connectors/local/stream-file.ts";
import { cutOff, type Flight, readFlights } from "./data-set.ts";

const STREAM_NAME = "flights";
const STREAM_ARN = `arn:aws:local:local-1:000000000000:stream/${STREAM_NAME}`;
export const STREAM_SHARDS = 4;

/** Every so many flights one is cut off in the middle. */
const POISON_EVERY = 2_857;

/** A record of the stream, in the order of its shard. */
export interface StreamedFlight {
  /** `shardId:sequenceNumber`, as functions see it in `eventID`. */
  readonly eventId: string;
  readonly key: string;
  readonly isPoison: boolean;
}

export function createFlightStream(file: StreamFile): void {
  file.createStream({ name: STREAM_NAME, shards: STREAM_SHARDS }).append(readFlights().map(toRecord));
}

/** All records of the stream, shard after shard: what the function and the failure file are to be compared with. */
export async function readStream(path: string): Promise<readonly StreamedFlight[]> {
  const source = openLocalSource(path, parseStreamArn(STREAM_ARN));
  const { signal } = new AbortController();
  const flights: StreamedFlight[] = [];
  for (const { shardId } of await source.listShards(signal)) {
    const reader = await source.openReader(shardId, { kind: "oldest" }, signal);
    for (;;) {
      const { records } = await reader.read(10_000, 64 * 1024 * 1024, signal);
      if (records.length === 0) break;
      for (const record of records) {
        flights.push({
          eventId: `${shardId}:${record.position}`,
          key: record.key ?? "",
          isPoison: !source.events.filterDocument(record).isDataJson,
        });
      }
    }
    await reader.close();
  }
  await source.close();
  return flights;
}

function toRecord(flight: Flight, index: number) {
  const text = JSON.stringify(flight);
  const isPoison = index % POISON_EVERY === POISON_EVERY - 1;
  return { partitionKey: flight.origin, data: isPoison ? cutOff(text) : text };
}
