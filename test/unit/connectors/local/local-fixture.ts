import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLocalSource } from "../../../../connectors/local/source.ts";
import { parseStreamArn } from "../../../../connectors/local/stream-arn.ts";
import type { StartPoint } from "../../../../src/model/record.ts";
import type { ShardRead, StreamSource } from "../../../../src/ports/stream-source.ts";

export const ARN = parseStreamArn("arn:aws:local:eu-west-1:123456789012:stream/orders");
export const NO_ABORT = new AbortController().signal;
export const OLDEST: StartPoint = { kind: "oldest" };

/** A folder for one test, with a path for a stream file in it. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "millrace-"));
  return {
    folder,
    path: join(folder, "streams.db"),
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true });
    },
  };
}

/** A source for one test, closed with it. */
export function openedSource(path: string, now: () => number = Date.now, arn = ARN) {
  const source = openLocalSource(path, arn, { now });
  return {
    source,
    async [Symbol.asyncDispose]() {
      await source.close();
    },
  };
}

export async function readOnce(source: StreamSource, shardId: string, start: StartPoint): Promise<ShardRead> {
  const reader = await source.openReader(shardId, start, NO_ABORT);
  return await reader.read(10_000, 64 * 1024 * 1024, NO_ABORT);
}

/** Data texts of records, as a function sees them. */
export function textsOf(source: StreamSource, read: ShardRead): readonly string[] {
  const event = JSON.parse(Buffer.from(source.events.encode(read.records, undefined)).toString()) as {
    readonly Records: readonly { readonly kinesis: { readonly data: string } }[];
  };
  return event.Records.map((record) => Buffer.from(record.kinesis.data, "base64").toString());
}
