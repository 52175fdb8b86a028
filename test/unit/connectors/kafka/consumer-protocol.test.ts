import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from "../../../../connectors/kafka/consumer-protocol.ts";

const TOPIC = fc.string({ minLength: 1, maxLength: 20 });
const PARTITIONS = fc.uniqueArray(fc.nat(100), { maxLength: 10 });
const OWNED = fc.uniqueArray(fc.tuple(TOPIC, PARTITIONS), { selector: ([topic]) => topic, maxLength: 4 });

test("subscriptions and assignments come back as they were written", () => {
  fc.assert(
    fc.property(
      fc.array(TOPIC),
      OWNED,
      fc.integer({ min: -1, max: 2 ** 31 - 1 }),
      (topics, owned, generation) => {
        const subscription = { topics, owned: new Map(owned), generation };
        assert.deepEqual(decodeSubscription(encodeSubscription(subscription)), subscription);
        assert.deepEqual(decodeAssignment(encodeAssignment(new Map(owned))), new Map(owned));
      },
    ),
  );
});

test("reads what members of version 0 and 1 write, the generation from their user data", () => {
  const written = encodeSubscription({ topics: ["t"], owned: new Map([["t", [1, 2]]]), generation: 9 });
  const asVersion = (version: number) => {
    const bytes = Buffer.from(written);
    bytes.writeInt16BE(version);
    return decodeSubscription(bytes);
  };
  assert.deepEqual(asVersion(0), { topics: ["t"], owned: new Map(), generation: 9 });
  assert.deepEqual(asVersion(1), { topics: ["t"], owned: new Map([["t", [1, 2]]]), generation: 9 });
});

test("bytes that are cut off or no message at all never throw and claim nothing", () => {
  const written = encodeSubscription({ topics: ["t"], owned: new Map([["t", [1, 2]]]), generation: 9 });
  for (let length = 0; length < written.length; length++) {
    assert.deepEqual(decodeSubscription(written.subarray(0, length)).topics, [], `cut at ${length}`);
  }
  const assignment = encodeAssignment(new Map([["t", [0]]]));
  assert.deepEqual(decodeAssignment(assignment.subarray(0, 9)), new Map());
  assert.deepEqual(decodeAssignment(Buffer.alloc(0)), new Map());
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeSubscription(Buffer.from(bytes));
      decodeAssignment(Buffer.from(bytes));
    }),
  );
});

test("other clients of Kafka read our bytes", () => {
  // kafkajs has no types for its insides, and only this test needs them.
  const { MemberMetadata, MemberAssignment } = createRequire(import.meta.url)(
    "kafkajs/src/consumer/assignerProtocol",
  );
  const metadata = MemberMetadata.decode(
    encodeSubscription({ topics: ["a", "b"], owned: new Map([["a", [0]]]), generation: 4 }),
  );
  assert.deepEqual(metadata.topics, ["a", "b"]);
  const { assignment } = MemberAssignment.decode(encodeAssignment(new Map([["a", [0, 3]]])));
  assert.deepEqual({ ...assignment }, { a: [0, 3] });
});
