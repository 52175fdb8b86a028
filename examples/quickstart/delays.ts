/**
 * A Lambda handler, as it would run on AWS: reads the flights of a Kinesis event and averages their delays. A record
 * that it cannot read makes it throw, which fails the batch: the engine finds the record by bisecting.
 *
 * What it saw goes to a file, so that the summary can judge by what the function got, not by what the engine says.
 */
import { appendFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

interface KinesisEvent {
  readonly Records: readonly {
    readonly eventID: string;
    readonly kinesis: {
      readonly partitionKey: string;
      readonly sequenceNumber: string;
      readonly data: string;
    };
  }[];
}

interface Flight {
  readonly origin: string;
  readonly delay: number;
}

/** Time that a real function would spend on a database or another service. */
const WORK_MS = 15;
const SEEN_FILE = resolve(import.meta.dirname, process.env["SEEN_FILE"] ?? "seen.jsonl");

export async function handler(event: KinesisEvent, context: { readonly awsRequestId: string }) {
  const flights = event.Records.map(({ kinesis }) =>
    parseFlight(Buffer.from(kinesis.data, "base64").toString()),
  );
  await sleep(WORK_MS);
  const delays = flights.reduce((sum, flight) => sum + flight.delay, 0);
  const records = event.Records.map(({ eventID, kinesis }) => [eventID, kinesis.partitionKey]);
  // One write for each line: workers and processes append to the same file.
  appendFileSync(SEEN_FILE, `${JSON.stringify({ requestId: context.awsRequestId, records })}\n`);
  return { averageDelayMinutes: delays / flights.length };
}

function parseFlight(text: string): Flight {
  const flight: Flight = JSON.parse(text);
  if (typeof flight.delay !== "number") throw new Error("a flight has no delay");
  return flight;
}
