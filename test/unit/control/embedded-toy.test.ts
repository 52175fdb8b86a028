import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../../../src/api/server.ts";
import { createEmbeddedBooks } from "../../../src/control/embedded/embedded-book.ts";
import type { Connector, StreamConnector } from "../../../src/ports/connector.ts";
import type { KeptRecord, NewEmbeddedStream, StreamKeeper } from "../../../src/ports/embedded-sources.ts";
import { apiOptions } from "../api/api-fixture.ts";
import { CONTEXT } from "../manifests/manifest-samples.ts";

/** A keeper in memory: one shard, whatever is asked for. */
function toyKeeper(): StreamKeeper {
  const streams = new Map<string, { readonly made: NewEmbeddedStream; readonly records: KeptRecord[] }>();
  const shard = {
    shardId: "only",
    parentShardIds: [],
    closed: false,
    endSequenceNumber: undefined,
    hashKeyRange: { startingHashKey: "0", endingHashKey: "1" },
  };
  return {
    names: async () => [...streams.keys()],
    has: async (name) => streams.has(name),
    async find(name) {
      const found = streams.get(name);
      if (found === undefined) return undefined;
      return { name, retentionMs: found.made.retentionMs, createdMs: undefined, shards: [shard] };
    },
    async create(made) {
      if (streams.has(made.name)) return false;
      streams.set(made.name, { made, records: [] });
      return true;
    },
    async put(name, items) {
      const records = streams.get(name)?.records ?? [];
      return items.map(({ key, data }) => {
        const sequenceNumber = String(records.length);
        records.push({ shardId: "only", sequenceNumber, key, data, bytes: data.length, arrivalMs: 0 });
        return { kind: "stored", shardId: "only", sequenceNumber } as const;
      });
    },
    peek: async (name, { recordsMax }) => (streams.get(name)?.records ?? []).slice(-recordsMax),
    close: async () => undefined,
  };
}

test("a connector that keeps streams of another kind is put into over the same routes, with no change in src/", async (t) => {
  const [model] = CONTEXT.connectors.filter(({ offers }) => offers === "stream");
  const keeper = toyKeeper();
  const toy = {
    ...(model as StreamConnector),
    kind: "toy",
    embedded: {
      endpointName: "TOY",
      defaultPlace: "toy",
      nameOf: (arn: string) => /^arn:aws:toy:::(\w+)$/.exec(arn)?.[1],
      arnOf: (name: string) => `arn:aws:toy:::${name}`,
      open: async () => keeper,
    },
  } satisfies Connector;
  const books = createEmbeddedBooks([toy], {
    endpoints: {},
    place: { region: "eu-west-1", account: "123456789012" },
    mappings: async () => [],
  });
  const app = createApp(apiOptions(undefined, { embedded: () => books }));
  t.after(() => app.close());
  const ask = async (method: "GET" | "POST", url: string, payload?: object) => {
    const body = payload === undefined ? {} : { payload };
    const answer = await app.inject({
      method,
      url: `/millrace/v1/${url}`,
      headers: { host: "localhost" },
      ...body,
    });
    return [answer.statusCode, answer.json()] as const;
  };
  const [made, { eventSourceArn }] = await ask("POST", "streams", { name: "orders" });
  assert.deepEqual([made, eventSourceArn], [201, "arn:aws:toy:::orders"]);
  assert.deepEqual(await ask("POST", "streams/orders/records", { key: "k", data: "1" }), [
    200,
    { failed: 0, records: [{ shardId: "only", sequenceNumber: "0" }] },
  ]);
  const [, held] = await ask("GET", "streams/orders/records");
  assert.equal(held.records[0].data, "1");
  // It keeps no queues.
  assert.equal((await ask("POST", "queues/jobs/messages", { body: "x" }))[0], 404);
});
