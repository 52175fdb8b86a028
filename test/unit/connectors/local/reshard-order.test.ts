import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { LocalStream } from "../../../../connectors/local/local-stream.ts";
import { openStreamFile } from "../../../../connectors/local/stream-file.ts";
import type { Shard } from "../../../../src/model/record.ts";
import type { StreamSource } from "../../../../src/ports/stream-source.ts";
import { NO_ABORT, OLDEST, openedSource, temporaryFolder } from "./local-fixture.ts";

type Step =
  | { readonly kind: "append"; readonly keys: readonly string[] }
  | { readonly kind: "split" | "merge"; readonly pick: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("append" as const), keys: anyKeys() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("split" as const), pick: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("merge" as const), pick: fc.nat(7) }) },
);

test("however a stream is resharded, reading parents first gives each key's records once and in order", async () => {
  const anyCase = fc.record({
    shards: fc.integer({ min: 1, max: 3 }),
    steps: fc.array(anyStep, { maxLength: 25 }),
  });
  await fc.assert(
    fc.asyncProperty(anyCase, fc.integer({ min: 1, max: 7 }), async ({ shards, steps }, recordsMax) => {
      using place = temporaryFolder();
      const file = openStreamFile(place.path);
      const stream = file.createStream({ name: "orders", shards });
      const expected = new Map<string, string[]>();
      for (const step of steps) apply(stream, step, expected);
      await using opened = openedSource(place.path);
      const seen = await readParentsFirst(opened.source, recordsMax);
      file.close();
      assert.deepEqual(seen, expected);
    }),
    { numRuns: 40 },
  );
});

function anyKeys(): fc.Arbitrary<string[]> {
  return fc.array(
    fc.nat(11).map((key) => `key-${key}`),
    { minLength: 1, maxLength: 20 },
  );
}

function apply(stream: LocalStream, step: Step, expected: Map<string, string[]>): void {
  switch (step.kind) {
    case "append": {
      const places = stream.append(step.keys.map((partitionKey) => ({ partitionKey, data: "x" })));
      for (const [index, key] of step.keys.entries()) {
        const positions = expected.get(key) ?? [];
        positions.push(places[index]?.position ?? "");
        expected.set(key, positions);
      }
      return;
    }
    case "split": {
      const shard = pickOpen(stream, step.pick, 0);
      if (shard !== undefined) stream.splitShard(shard);
      return;
    }
    case "merge": {
      const [left, right] = [pickOpen(stream, step.pick, 0), pickOpen(stream, step.pick, 1)];
      if (left !== undefined && right !== undefined) stream.mergeShards(left, right);
      return;
    }
  }
}

/** Of the open shards in the order of their hash keys, the one at `pick` or its neighbour. */
function pickOpen(stream: LocalStream, pick: number, offset: number): string | undefined {
  const open = stream.listShards().filter((shard) => !shard.closed);
  const start = (shard: (typeof open)[number]) => BigInt(shard.hashKeyRange.startingHashKey);
  open.sort((a, b) => (start(a) < start(b) ? -1 : 1));
  return open[Math.min(pick, Math.max(0, open.length - 2)) + offset]?.shardId;
}

async function readParentsFirst(source: StreamSource, recordsMax: number): Promise<Map<string, string[]>> {
  const seen = new Map<string, string[]>();
  for (const shard of parentsFirst(await source.listShards(NO_ABORT))) {
    const reader = await source.openReader(shard.shardId, OLDEST, NO_ABORT);
    for (;;) {
      const read = await reader.read(recordsMax, 1_000_000, NO_ABORT);
      for (const { key, position } of read.records) {
        assert.ok(key !== undefined);
        seen.set(key, [...(seen.get(key) ?? []), position]);
      }
      assert.equal(read.endOfShard && !shard.closed, false, "an open shard has no end");
      if (read.endOfShard || read.lagMs === 0) break;
    }
  }
  return seen;
}

function parentsFirst(shards: readonly Shard[]): readonly Shard[] {
  const waiting = [...shards];
  const done = new Set<string>();
  const ordered: Shard[] = [];
  while (waiting.length > 0) {
    const index = waiting.findIndex((shard) => shard.parentShardIds.every((parent) => done.has(parent)));
    const [next] = waiting.splice(index, 1);
    assert.ok(index >= 0 && next !== undefined, "every parent is listed");
    done.add(next.shardId);
    ordered.push(next);
  }
  return ordered;
}
