import type { StreamSource } from "../../src/ports/stream-source.ts";
import { MongoTwin } from "../servers/mongodb-twin/mongodb-twin.ts";
import { mongoSettingsOf, openChangeSource } from "./mongodb-harness.ts";
import { describeStreamSourceContract } from "./stream-source.ts";
import type { StreamFixture } from "./stream-source-harness.ts";

/** What no server of the registries does: the twin answers as MongoDB's manual says, over its wire protocol. */
describeStreamSourceContract("MongoDB's change streams on a twin of its wire protocol", {
  can: {
    startAtTimestamp: true,
    split: false,
    merge: false,
    trim: true,
    expireIterators: true,
    onlyOneShard: true,
    holdsFetched: true,
    noWindows: true,
    unseen: true,
  },
  async createStream(): Promise<StreamFixture> {
    const twin = new MongoTwin();
    await twin.listen();
    twin.data.make("shop", "orders");
    const sources: StreamSource[] = [];
    const never = async () => {
      throw new Error("a change stream has one shard");
    };
    return {
      async openSource() {
        const source = await openChangeSource(mongoSettingsOf(twin.endpoint));
        sources.push(source);
        return source;
      },
      async append(_shardId, records) {
        for (const { key, data } of records) twin.data.update("shop", "orders", key, { data }, true);
      },
      split: never,
      merge: never,
      async trimBefore(epochMs) {
        twin.log.trimBefore(epochMs);
      },
      async expireIterators() {
        twin.streams.killAll();
      },
      async pause(ms) {
        twin.log.aheadMs += ms;
      },
      async appendUnseen() {
        twin.data.update("shop", "customers", "other", { data: "of another collection" }, true);
      },
      dataOf(event) {
        const { events } = event as {
          readonly events: readonly {
            readonly event: { readonly fullDocument: { readonly data: string } };
          }[];
        };
        return events.map(({ event: { fullDocument } }) => fullDocument.data);
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(sources.map((source) => source.close()));
        await twin.close();
      },
    };
  },
  async openMissingStream() {
    const twin = new MongoTwin();
    await twin.listen();
    const source = await openChangeSource(mongoSettingsOf(twin.endpoint, { database: "nowhere" }));
    return {
      ...source,
      async close() {
        await source.close();
        await twin.close();
      },
    };
  },
});
