/**
 * A Lambda handler of an SQS FIFO queue, as it would run on AWS: reads flights that arrive, airport by airport in
 * order, and names those that it could not read in a partial response (`ReportBatchItemFailures`).
 *
 * What it saw goes to a file, so that the summary can judge by what the function got, not by what the engine says.
 */
import { appendFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

interface SqsEvent {
  readonly Records: readonly {
    readonly messageId: string;
    readonly body: string;
    readonly attributes: { readonly MessageGroupId: string };
  }[];
}

/** Time that a real function would spend on a database or another service. */
const WORK_MS = 15;
const SEEN_FILE = resolve(import.meta.dirname, process.env["SEEN_FILE"] ?? "arrivals.jsonl");

export async function handler(event: SqsEvent, context: { readonly awsRequestId: string }) {
  await sleep(WORK_MS);
  const arrived: (readonly [groupId: string, place: number])[] = [];
  const failures: { readonly itemIdentifier: string }[] = [];
  const failedGroups = new Set<string>();
  for (const { messageId, body, attributes } of event.Records) {
    const groupId = attributes.MessageGroupId;
    // What comes behind a failure in its group must wait for it.
    const place = failedGroups.has(groupId) ? undefined : parsePlace(body);
    if (place === undefined) {
      failedGroups.add(groupId);
      failures.push({ itemIdentifier: messageId });
    } else arrived.push([groupId, place]);
  }
  const seen = { requestId: context.awsRequestId, arrived, failed: [...failedGroups] };
  // One write for each line: workers and processes append to the same file.
  appendFileSync(SEEN_FILE, `${JSON.stringify(seen)}\n`);
  return { batchItemFailures: failures };
}

function parsePlace(text: string): number | undefined {
  try {
    const arrival: { readonly place: number } = JSON.parse(text);
    return arrival.place;
  } catch {
    return undefined;
  }
}
