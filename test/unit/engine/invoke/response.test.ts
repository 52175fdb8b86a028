import assert from "node:assert/strict";
import { test } from "node:test";
import { createKafkaEvents } from "../../../../connectors/kafka/event.ts";
import { readResponse } from "../../../../src/engine/invoke/response.ts";

const KAFKA = createKafkaEvents({ eventSourceArn: undefined, bootstrapServers: ["b:9092"] });
const OFFSETS = ["9007199254740991", "9007199254740992", "9007199254740993"];

/** What an answer that lists this offset says of a batch of `OFFSETS`. */
function listing(offset: string) {
  const body = `{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0","offset":${offset}}}]}`;
  return readResponse(Buffer.from(body), {
    reportBatchItemFailures: true,
    expectsState: false,
    indexOf: (value) => {
      const index = OFFSETS.indexOf(KAFKA.readItemIdentifier?.(value, "t-0") ?? "");
      return index < 0 ? undefined : index;
    },
  });
}

test("a number in a partial response names the record of exactly that offset", () => {
  for (const [index, offset] of OFFSETS.entries()) {
    assert.deepEqual(listing(offset), { kind: "partial", failed: new Set([index]), stateJson: undefined });
  }
});

test("a number that only rounding would make one of the batch's offsets names no record", () => {
  for (const offset of ["9007199254740994", "9007199254740995", "-9007199254740993", "1e400"]) {
    assert.equal(listing(offset).kind, "malformed", offset);
  }
});
