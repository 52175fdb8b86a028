import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { openLocalSource } from "../../connectors/local/source.ts";
import { parseStreamArn } from "../../connectors/local/stream-arn.ts";
import { openStreamFile } from "../../connectors/local/stream-file.ts";

const STREAM_NAME = "flights";
const STREAM_ARN = `arn:aws:local:local-1:000000000000:stream/${STREAM_NAME}`;
export const STREAM_SHARDS = 4;

/** Every so many flights one is cut off in the middle, as by a broken producer. */
const POISON_EVERY = 2_857;

/** A record of the stream, in the order of its shard. */
export interface StreamedFlight {
  /** `shardId:sequenceNumber`, as functions see it in `eventID`. */
  readonly eventId: string;
  readonly key: string;
  readonly isPoison: boolean;
}

/** Appends the flights to the stream, all in one transaction, unless the file holds them already. */
export async function appendFlightsOnce(path: string): Promise<void> {
  const file = openStreamFile(path);
  try {
    if (!file.hasStream(STREAM_NAME)) file.createStream({ name: STREAM_NAME, shards: STREAM_SHARDS });
    // A first run that was cut off between the two steps left the stream empty.
    if ((await readStream(path)).length > 0) return;
    file.openStream(STREAM_NAME).append(readFlights().map(toRecord));
  } finally {
    file.close();
  }
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

interface Flight {
  readonly origin: string;
  readonly destination: string;
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
}

/** The 20,000 flights of the data set, in its order: real airports, very unevenly used. */
function readFlights(): readonly Flight[] {
  const folder = createRequire(import.meta.url)
    .resolve.paths("vega-datasets")
    ?.find(hasDataSet);
  if (folder === undefined) throw new Error("vega-datasets is not installed: run npm ci first");
  return JSON.parse(readFileSync(dataSetIn(folder), "utf8"));
}

function dataSetIn(folder: string): string {
  return `${folder}/vega-datasets/data/flights-20k.json`;
}

function hasDataSet(folder: string): boolean {
  try {
    readFileSync(dataSetIn(folder));
    return true;
  } catch {
    return false;
  }
}

function toRecord(flight: Flight, index: number) {
  const text = JSON.stringify(flight);
  const isPoison = index % POISON_EVERY === POISON_EVERY - 1;
  return { partitionKey: flight.origin, data: isPoison ? text.slice(0, text.length / 2) : text };
}
