import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "../../../../connectors/kafka/byte-writer.ts";
import { ByteReader } from "../../../../connectors/kafka/bytes.ts";

test("what was written is read again, however often the writer had to grow", () => {
  const writer = new ByteWriter();
  for (let round = 0; round < 200; round++) {
    writer
      .int8(-3)
      .int16(round)
      .int32(-round)
      .int64(2 ** 40 + round)
      .string("orders")
      .string(null);
    writer
      .compactString("é")
      .uuid("FPruNZFgSManF9HXtVJmMQ")
      .uuid(undefined)
      .uvarint(round * 1_000)
      .noTags();
  }
  const reader = new ByteReader(writer.finish());
  for (let round = 0; round < 200; round++) {
    assert.deepEqual(
      [reader.int8(), reader.int16(), reader.int32(), reader.int64(), reader.nullableString()],
      [-3, round, round === 0 ? 0 : -round, 2 ** 40 + round, "orders"],
    );
    assert.deepEqual(
      [reader.nullableString(), reader.compactString(), reader.uuid(), reader.uuid(), reader.uvarint()],
      [null, "é", "FPruNZFgSManF9HXtVJmMQ", undefined, round * 1_000],
    );
    reader.tags();
  }
  assert.equal(reader.left, 0);
});

test("tagged fields are read by their tags, and passed over whole", () => {
  const field = new ByteWriter().int32(7).int64(9).finish();
  const bytes = new ByteWriter().uvarint(2).uvarint(5).uvarint(3).raw(Buffer.from("abc"));
  const reader = new ByteReader(bytes.uvarint(0).uvarint(field.length).raw(field).int8(1).finish());
  let found: number | undefined;
  reader.tags((tag) => {
    if (tag === 0) found = reader.int32();
  });
  assert.deepEqual([found, reader.int8(), reader.left], [7, 1, 0]);
});

test("a list that claims more items than there are bytes is refused before anything is made", () => {
  const reader = new ByteReader(Buffer.alloc(10));
  assert.throws(() => reader.array(1_000_000_000, () => reader.int8()), RangeError);
});
