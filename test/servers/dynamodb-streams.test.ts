import { after } from "node:test";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { describeStreamSourceContract } from "../contract/stream-source.ts";
import type { StreamFixture } from "../contract/stream-source-harness.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { createTable, openStream, pauseShortly, useEndpoint } from "./dynamodb-stream-fixture.ts";

const server = await startDynamodbLocal();
useEndpoint(server.endpoint);
after(() => server.close());

describeStreamSourceContract("DynamoDB Streams on DynamoDB Local", {
  can: {
    startAtTimestamp: false,
    split: false,
    merge: false,
    trim: false,
    expireIterators: false,
    onlyOneShard: true,
  },
  async createStream(): Promise<StreamFixture> {
    const table = await createTable();
    const sources: StreamSource[] = [];
    const cannot = async () => {
      throw new Error("DynamoDB Local does not do this on demand");
    };
    return {
      async openSource() {
        const source = await openStream(table.streamArn);
        sources.push(source);
        return source;
      },
      append: (_shardId, records) => table.append(records),
      split: cannot,
      merge: cannot,
      trimBefore: cannot,
      expireIterators: cannot,
      pause: pauseShortly,
      dataOf(event) {
        const { Records } = event as {
          Records: readonly { dynamodb: { NewImage: { data: { S: string } } } }[];
        };
        return Records.map((record) => record.dynamodb.NewImage.data.S);
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(sources.map((source) => source.close()));
        await table.drop();
      },
    };
  },
  openMissingStream: () =>
    openStream("arn:aws:dynamodb:ddblocal:000000000000:table/missing/stream/2026-01-01T00:00:00.000"),
});
