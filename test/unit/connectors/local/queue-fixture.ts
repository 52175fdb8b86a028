import { parseQueueArn } from "../../../../connectors/local/queue-arn.ts";
import { openLocalQueueSource } from "../../../../connectors/local/queue-source.ts";
import { openStreamFile, type StreamFile } from "../../../../connectors/local/stream-file.ts";
import type { QueueMessage, QueueSource } from "../../../../src/ports/queue-source.ts";
import { temporaryFolder } from "./local-fixture.ts";

export const NO_ABORT = new AbortController().signal;
export const HOLD_MS = 30_000;

export interface SqsRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A file for one test, with a clock that the test moves; all that was opened on it is closed with it. */
export function openedQueueFile() {
  const place = temporaryFolder();
  const clock = { ms: Date.UTC(2026, 0, 1) };
  const now = () => clock.ms;
  const file: StreamFile = openStreamFile(place.path, { now });
  const sources: QueueSource[] = [];
  return {
    path: place.path,
    clock,
    file,
    source(name: string, batchingWindowMs = 0): QueueSource {
      const source = openLocalQueueSource(place.path, queueArn(name), { now, batchingWindowMs });
      sources.push(source);
      return source;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sources.map((source) => source.close()));
      file.close();
      place[Symbol.dispose]();
    },
  };
}

export function queueArn(name: string) {
  return parseQueueArn(`arn:aws:local:eu-west-1:123456789012:queue/${name}`);
}

export function receive(
  source: QueueSource,
  messagesMax = 10,
  holdMs = HOLD_MS,
): Promise<readonly QueueMessage[]> {
  return source.receive({ messagesMax, waitMs: 0, holdMs }, NO_ABORT);
}

export function recordsOf(source: QueueSource, messages: readonly QueueMessage[]): readonly SqsRecord[] {
  const event = JSON.parse(Buffer.from(source.events.encode(messages)).toString());
  return (event as { readonly Records: readonly SqsRecord[] }).Records;
}

export function bodiesOf(source: QueueSource, messages: readonly QueueMessage[]): readonly string[] {
  return recordsOf(source, messages).map(({ body }) => body);
}

export async function receiveBodies(source: QueueSource, messagesMax = 10): Promise<readonly string[]> {
  return bodiesOf(source, await receive(source, messagesMax));
}
