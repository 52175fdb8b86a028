import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  Binary,
  BSON,
  BSONRegExp,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from "mongodb";
import { changeOf, createChangeEvents } from "../../../../connectors/mongodb/event.ts";
import { mongoEventRecords } from "../../../../connectors/mongodb/event-records.ts";
import { extendedJson } from "../../../../connectors/mongodb/extended-json.ts";
import { itemAt } from "../../../contract/stream-source-harness.ts";

const ARN = "arn:aws:rds:us-east-1:123456789012:cluster:canaryclusterb2a659a2-qo5tcmqkcl03";
const ID = ObjectId.createFromHexString("63eeb6e7d418cd98afb1c1d7");
/** In the order in which MongoDB sends it. */
const INSERT = {
  _id: { _data: "0163eeb6e7000000090100000009000041e1" },
  operationType: "insert",
  clusterTime: new Timestamp({ t: 1_676_588_775, i: 9 }),
  fullDocument: { _id: ID, anyField: "sampleValue" },
  ns: { db: "test_database", coll: "test_collection" },
  documentKey: { _id: ID },
};
/** AWS's sample (queues §5). */
const SAMPLE = `{"eventSourceArn":"${ARN}","events":[{"event":{"_id":{"_data":"0163eeb6e7000000090100000009000041e1"},"clusterTime":{"$timestamp":{"t":1676588775,"i":9}},"documentKey":{"_id":{"$oid":"63eeb6e7d418cd98afb1c1d7"}},"fullDocument":{"_id":{"$oid":"63eeb6e7d418cd98afb1c1d7"},"anyField":"sampleValue"},"ns":{"db":"test_database","coll":"test_collection"},"operationType":"insert"}}],"eventSource":"aws:docdb"}`;

describe("the event of a change stream", () => {
  const { encode } = createChangeEvents(ARN);

  test("is AWS's sample, byte for byte", () => {
    assert.equal(Buffer.from(encode([changeOf(INSERT).record], undefined)).toString(), SAMPLE);
  });

  test("has a place, a key and a time of each change, and of its records the same is read back", () => {
    const removal = {
      ...INSERT,
      _id: { _data: "0163eeb6e70000000a" },
      operationType: "delete",
      documentKey: { _id: "order-7" },
    };
    const end = { _id: { _data: "0163eeb6e70000000b" }, operationType: "invalidate" };
    const changes = [INSERT, removal, end].map((each) => changeOf(each));
    const records = changes.map(({ record }) => record);
    assert.deepEqual(
      records.map(({ position, key, arrivalMs }) => [position, key, arrivalMs]),
      [
        [INSERT._id._data, '{"$oid":"63eeb6e7d418cd98afb1c1d7"}', 1_676_588_775_000],
        ["0163eeb6e70000000a", "order-7", 1_676_588_775_000],
        ["0163eeb6e70000000b!", undefined, undefined],
      ],
    );
    assert.deepEqual(
      changes.map(({ isInvalidation }) => isInvalidation),
      [false, false, true],
    );
    const split = mongoEventRecords.split(encode(records, undefined)) ?? [];
    assert.deepEqual(
      split.map(({ position, key, arrivalMs }) => [position, key, arrivalMs]),
      records.map(({ position, key, arrivalMs }) => [position, key, arrivalMs]),
    );
    assert.equal(itemAt(split, 2).itemId, "0163eeb6e70000000b");
  });

  test("names a number as a key as it is stored, beyond what a number of JavaScript holds", () => {
    const change = { ...INSERT, documentKey: { _id: Long.fromString("9007199254740993") } };
    const { record } = changeOf(change);
    const [read] = mongoEventRecords.split(encode([record], undefined)) ?? [];
    assert.deepEqual([record.key, read?.key], ["9007199254740993", "9007199254740993"]);
  });

  test("is refused where a change has no token", () => {
    assert.throws(() => changeOf({ operationType: "insert" }), /whose resume token is no text/);
  });
});

describe("Extended JSON", () => {
  const values: readonly (readonly [name: string, value: unknown, json: string])[] = [
    ["an integer", new Int32(1), "1"],
    ["a double that is whole", new Double(1), "1.0"],
    ["a double", new Double(0.1), "0.1"],
    ["minus zero", new Double(-0), "-0.0"],
    ["a large double", new Double(1e300), "1e+300"],
    ["no number", new Double(Number.NaN), '{"$numberDouble":"NaN"}'],
    ["an infinite number", new Double(Number.NEGATIVE_INFINITY), '{"$numberDouble":"-Infinity"}'],
    ["a long beyond 2⁵³", Long.fromString("9007199254740993"), "9007199254740993"],
    ["a decimal", Decimal128.fromString("1.10"), '{"$numberDecimal":"1.10"}'],
    ["a date", new Date(1_600_000_000_000), '{"$date":"2020-09-13T12:26:40Z"}'],
    ["a date with milliseconds", new Date(1_600_000_000_001), '{"$date":"2020-09-13T12:26:40.001Z"}'],
    ["a date before 1970", new Date(-1), '{"$date":{"$numberLong":"-1"}}'],
    ["bytes", new Binary(Buffer.from("ab"), 0), '{"$binary":{"base64":"YWI=","subType":"00"}}'],
    [
      "a pattern that JavaScript does not know",
      new BSONRegExp("(?<a", "i"),
      '{"$regularExpression":{"pattern":"(?<a","options":"i"}}',
    ],
    ["code", new Code("f()"), '{"$code":"f()"}'],
    ["code with a scope", new Code("f()", { a: new Int32(1) }), '{"$code":"f()","$scope":{"a":1}}'],
    ["the lowest key", new MinKey(), '{"$minKey":1}'],
    ["the highest key", new MaxKey(), '{"$maxKey":1}'],
    ["nothing", null, "null"],
    ["a list", [new Int32(1), "a", true, null], '[1,"a",true,null]'],
    ["a text of many signs", 'ü"\u2028\n', '"ü\\"\u2028\\n"'],
    [
      "a member with the name of a driver's type",
      { _bsontype: "Int32", value: "x" },
      '{"_bsontype":"Int32","value":"x"}',
    ],
  ];
  for (const [name, value, json] of values) {
    test(`of ${name} is ${json}`, () => {
      assert.equal(extendedJson(value), json);
      assert.doesNotThrow(() => JSON.parse(json));
    });
  }

  test("has what is stored, as the driver reads it without promotion", () => {
    const stored = BSON.serialize({
      a: new Int32(1),
      b: new Double(1),
      c: Long.fromString("9223372036854775807"),
      d: { __proto__: null, e: [new Date(0)] },
    });
    const read = BSON.deserialize(stored, { promoteValues: false, promoteLongs: false, bsonRegExp: true });
    assert.equal(
      extendedJson(read),
      '{"a":1,"b":1.0,"c":9223372036854775807,"d":{"e":[{"$date":"1970-01-01T00:00:00Z"}]}}',
    );
  });
});
