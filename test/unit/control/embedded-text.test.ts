import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readMessage, readPlainMessage } from "../../../src/control/embedded/message-text.ts";
import { readPlainRecord, readRecord } from "../../../src/control/embedded/record-text.ts";
import { parsePointer, textAt } from "../../../src/model/json-pointer.ts";

const newKey = () => "made";

function dataOf(text: string): string {
  const read = readRecord(text, newKey);
  return "item" in read ? Buffer.from(read.item.data).toString() : read.reason;
}

describe("a JSON pointer", () => {
  test("finds what stands at its place, digits as they were written", () => {
    const json = '{"a":{"b/c":[0, 12345678901234567890]},"m~n":"x","":7,"null":null}';
    for (const [pointer, text] of [
      ["/a/b~1c/1", "12345678901234567890"],
      ["/m~0n", "x"],
      ["/", "7"],
      ["", json],
      ["/null", undefined],
      ["/a/b~1c/01", undefined],
      ["/a/nobody", undefined],
      ["/m~0n/0", undefined],
    ] as const)
      assert.equal(textAt(json, parsePointer(pointer) ?? ["?"]), text, pointer);
  });

  test("is refused when it is none", () => {
    for (const text of ["user", "/a~2", "/a~"]) assert.equal(parsePointer(text), undefined, text);
  });
});

describe("a record as somebody wrote it", () => {
  test("keeps data that is a text as that text, and other JSON as it is written", () => {
    assert.equal(dataOf('{"key":"k","data":"a\\nb"}'), "a\nb");
    assert.equal(
      dataOf('{"key":"k","data":{"n": 12345678901234567890, "e": 1e400}}'),
      '{"n": 12345678901234567890, "e": 1e400}',
    );
    assert.equal(dataOf('{"key":"k","data":null}'), "null");
    assert.equal(dataOf('{"key":"k","dataBase64":"YQ=="}'), "a");
  });

  test("gets a key of its own when it names none", () => {
    const read = readRecord('{"data":1}', newKey);
    assert.equal("item" in read && read.item.key, "made");
  });

  test("is refused with what is wrong, and what nobody knows is never dropped", () => {
    for (const [text, said] of [
      ["{", /not JSON/],
      ["1", /no data/],
      ['{"key":"k"}', /no data/],
      ['{"data":1,"dataBase64":"YQ=="}', /no data/],
      ['{"key":1,"data":1}', /key is not a text/],
      ['{"data":1,"Key":"k"}', /nobody knows/i],
      ['{"dataBase64":"a"}', /not Base64/],
      ['{"data":"\\ud800"}', /not Unicode/],
    ] as const) {
      const read = readRecord(text, newKey);
      assert.match("reason" in read ? read.reason : "", said, text);
    }
  });

  test("is taken whole where the key is named apart", () => {
    const read = readPlainRecord('{"user":"u1"}', { from: "/user" }, newKey);
    assert.deepEqual(read, { item: { key: "u1", data: Buffer.from('{"user":"u1"}') } });
    assert.ok("reason" in readPlainRecord('{"user":null}', { from: "/user" }, newKey));
    assert.deepEqual(readPlainRecord("hello", {}, newKey), {
      item: { key: "made", data: Buffer.from("hello") },
    });
  });
});

describe("a message as somebody wrote it", () => {
  test("has a body, and what belongs to queues with order", () => {
    assert.deepEqual(
      readMessage(
        '{"body":{"a": 1},"group":"g","dedup":"d","delaySeconds":5,"attributes":{"n":1.50,"s":"x"}}',
      ),
      {
        item: {
          body: '{"a": 1}',
          groupId: "g",
          deduplicationId: "d",
          delayMs: 5_000,
          attributes: {
            n: { dataType: "Number", stringValue: "1.50" },
            s: { dataType: "String", stringValue: "x" },
          },
        },
      },
    );
    assert.deepEqual(readPlainMessage('{"id":7}', { group: { value: "g" }, dedup: { from: "/id" } }), {
      item: { body: '{"id":7}', groupId: "g", deduplicationId: "7" },
    });
  });

  test("is refused with what is wrong", () => {
    for (const text of [
      '{"boby":1}',
      "[]",
      '{"body":1,"delaySeconds":"5"}',
      '{"body":1,"attributes":{"a":[]}}',
      '{"body":1,"group":1}',
    ])
      assert.ok("reason" in readMessage(text), text);
  });
});
