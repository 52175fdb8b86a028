import { MillraceError } from "../../src/model/errors.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { ARN, openFakeSource } from "../unit/connectors/dynamodb-streams/fake-source.ts";
import { FakeStream } from "../unit/connectors/dynamodb-streams/fake-stream.ts";
import { describeStreamSourceContract } from "./stream-source.ts";
import type { StreamFixture } from "./stream-source-harness.ts";

/** What DynamoDB Local does not do on demand; what it does is proven on it, in test/servers. */
describeStreamSourceContract("DynamoDB Streams on a fake of its API", {
  can: { startAtTimestamp: false, split: true, merge: false, trim: true, expireIterators: true },
  async createStream(shards): Promise<StreamFixture> {
    const stream = new FakeStream();
    for (let count = 0; count < shards; count++) stream.addShard();
    const sources: StreamSource[] = [];
    return {
      async openSource() {
        const source = openFakeSource(stream);
        sources.push(source);
        return source;
      },
      async append(shardId, records) {
        for (const { key, data } of records) stream.appendItem(shardId, key, data);
      },
      async split(shardId) {
        stream.rollOver(shardId, 2);
      },
      async merge() {
        throw new Error("DynamoDB Streams never merges shards");
      },
      async trimBefore(epochMs) {
        stream.trimBefore(epochMs);
      },
      async expireIterators() {
        stream.expireIterators();
      },
      async pause(ms) {
        stream.nowMs += ms;
      },
      dataOf(event) {
        const { Records } = event as {
          Records: readonly { dynamodb: { NewImage: { data: { S: string } } } }[];
        };
        return Records.map((record) => record.dynamodb.NewImage.data.S);
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(sources.map((source) => source.close()));
      },
    };
  },
  async openMissingStream() {
    const stream = new FakeStream();
    stream.failures.push(new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", `Stream not found: ${ARN.arn}`));
    return openFakeSource(stream);
  },
});
