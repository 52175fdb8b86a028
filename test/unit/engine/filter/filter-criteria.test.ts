import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileFilterCriteria } from "../../../../src/engine/filter/filter.ts";
import { hasErrorCode } from "../../../../src/model/errors.ts";

function matches(patterns: readonly object[], document: unknown, isDataJson = true): boolean {
  const texts = patterns.map((pattern) => JSON.stringify(pattern));
  return compileFilterCriteria(texts, "data").matches({ document, isDataJson });
}

describe("a mapping's filters", () => {
  test("let everything through when there are none", () => {
    assert.equal(matches([], { data: { a: 1 } }), true);
    assert.equal(matches([], { data: "text" }, false), true);
  });

  test("are alternatives", () => {
    const filters = [{ data: { a: [1] } }, { data: { b: [2] } }];
    assert.equal(matches(filters, { data: { b: 2 } }), true);
    assert.equal(matches(filters, { data: { a: 2, b: 1 } }), false);
  });

  test("see metadata beside the data", () => {
    const filter = { partitionKey: ["k"], data: { a: [1] } };
    assert.equal(matches([filter], { partitionKey: "k", data: { a: 1 } }), true);
    assert.equal(matches([filter], { partitionKey: "x", data: { a: 1 } }), false);
  });

  test("match nothing of a document that is not an object", () => {
    for (const document of [null, [], [{ a: 1 }], "text", 5]) {
      assert.equal(matches([{ a: [{ exists: false }] }], document), false);
    }
  });
});

describe("a record whose data is not JSON", () => {
  const record = { partitionKey: "k", data: "plain" };

  test("is dropped by a pattern on the data, even one that asks for absence", () => {
    assert.equal(matches([{ data: { a: [1] } }], record, false), false);
    assert.equal(matches([{ data: { a: [{ exists: false }] } }], record, false), false);
    assert.equal(matches([{ "data.a": [{ exists: false }] }], record, false), false);
    assert.equal(matches([{ partitionKey: ["k"], data: { a: [{ exists: false }] } }], record, false), false);
  });

  test("is filtered by a pattern on metadata only", () => {
    assert.equal(matches([{ partitionKey: ["k"] }], record, false), true);
    assert.equal(matches([{ partitionKey: ["x"] }], record, false), false);
    assert.equal(matches([{ database: [{ exists: false }] }], record, false), true);
  });

  test("passes by the alternative that does not look at the data", () => {
    const filter = { $or: [{ data: { a: [1] } }, { partitionKey: ["k"] }] };
    assert.equal(matches([filter], record, false), true);
  });
});

describe("a pattern for plain-string data", () => {
  const pattern = JSON.stringify({ data: ["plain"] });

  test("is refused for streams", () => {
    assert.throws(
      () => compileFilterCriteria([pattern], "data"),
      (error: unknown) =>
        hasErrorCode(error, "ERR_MILLRACE_FILTER_PATTERN") && error.message.includes("at data:"),
    );
  });

  test("filters the text where the source allows it", () => {
    const matcher = compileFilterCriteria([pattern], "data", { dataPattern: "any" });
    assert.equal(matcher.matches({ document: { data: "plain" }, isDataJson: false }), true);
    assert.equal(matcher.matches({ document: { data: "other" }, isDataJson: false }), false);
    assert.equal(matcher.matches({ document: { data: { plain: 1 } }, isDataJson: true }), false);
  });
});

describe("a matcher", () => {
  test("does not change the document", () => {
    const document = JSON.parse('{"a":[{"b":1},{"b.c":2,"__proto__":3}]}') as unknown;
    const before = JSON.stringify(document);
    matches([{ a: { b: { c: [5] } } }], document);
    assert.equal(JSON.stringify(document), before);
  });

  test("answers the same for the same document after others", () => {
    const matcher = compileFilterCriteria(['{"a":{"b":[1],"c":[{"exists":false}]}}'], "data");
    const yes = { document: { a: [{ b: 1 }, { c: 1 }] }, isDataJson: true };
    const no = { document: { a: [{ b: 1, c: 1 }] }, isDataJson: true };
    assert.deepEqual(
      [yes, no, yes, no].map((one) => matcher.matches(one)),
      [true, false, true, false],
    );
  });

  test("finds nothing further than 16 arrays deep, and does not fail on events of any depth", () => {
    const arrays = (depth: number): unknown => JSON.parse(`{"a":${"[".repeat(depth)}1${"]".repeat(depth)}}`);
    assert.equal(matches([{ a: [1] }], arrays(16)), true);
    assert.equal(matches([{ a: [1] }], arrays(100_000)), false);
    const objects = JSON.parse(`{"a":${'[{"a":'.repeat(50_000)}1${"}]".repeat(50_000)}}`) as unknown;
    const chain = JSON.parse(`${'{"a":'.repeat(64)}[1]${"}".repeat(64)}`) as object;
    assert.equal(matches([chain], objects), false);
  });

  test("needs little stack on arrays and objects as deep as it looks", () => {
    const chain = JSON.parse(`${'{"a":'.repeat(64)}[1]${"}".repeat(64)}`) as object;
    const level = `${"[".repeat(16)}%${"]".repeat(16)}`;
    const event = (depth: number): unknown => {
      let inner = "1";
      for (let i = 1; i < depth; i++) inner = level.replace("%", `{"a":${inner}}`);
      return JSON.parse(`{"a":${inner}}`);
    };
    assert.equal(matches([chain], event(64)), true);
    assert.equal(matches([chain], event(65)), false);
  });
});
