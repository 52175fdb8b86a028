import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toDecimal } from "../../connectors/local/hash-key.ts";
import { openLocalSource } from "../../connectors/local/source.ts";
import { parseStreamArn } from "../../connectors/local/stream-arn.ts";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { describeStreamSourceContract } from "./stream-source.ts";
import type { StreamFixture } from "./stream-source-harness.ts";

const ARN = parseStreamArn("arn:aws:local:eu-west-1:123456789012:stream/orders");

describeStreamSourceContract("local stream", {
  can: { startAtTimestamp: true, split: true, merge: true, trim: true, expireIterators: false, remake: true },
  async createStream(shards): Promise<StreamFixture> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const path = join(folder, "streams.db");
    let clockMs = Date.UTC(2026, 0, 1);
    let file = openStreamFile(path, { now: () => clockMs });
    let stream = file.createStream({ name: "orders", shards });
    const sources: StreamSource[] = [];
    return {
      async openSource() {
        const source = openLocalSource(path, ARN, { now: () => clockMs });
        sources.push(source);
        return source;
      },
      async append(shardId, records) {
        const shard = stream.listShards().find((each) => each.shardId === shardId);
        const explicitHashKey = shard?.hashKeyRange.startingHashKey ?? toDecimal("0");
        stream.append(records.map(({ key, data }) => ({ partitionKey: key, data, explicitHashKey })));
      },
      async split(shardId) {
        stream.splitShard(shardId);
      },
      async merge([left, right]) {
        stream.mergeShards(left, right);
      },
      async trimBefore(epochMs) {
        stream.trim(epochMs);
      },
      async expireIterators() {
        throw new Error("a local stream has no iterators");
      },
      async remake() {
        file.close();
        for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
        file = openStreamFile(path, { now: () => clockMs });
        stream = file.createStream({ name: "orders", shards: 1 });
      },
      async pause(ms) {
        clockMs += ms;
      },
      dataOf(event) {
        const { Records } = event as { Records: readonly { kinesis: { data: string } }[] };
        return Records.map((record) => Buffer.from(record.kinesis.data, "base64").toString());
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(sources.map((source) => source.close()));
        file.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
  async openMissingStream() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    try {
      openStreamFile(join(folder, "streams.db")).close();
      return openLocalSource(join(folder, "streams.db"), ARN);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
});
