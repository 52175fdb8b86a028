import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeldMessage, Together } from "../../../../src/engine/queue/held-message.ts";
import { MessageBuffer } from "../../../../src/engine/queue/message-buffer.ts";
import { KeySplit } from "../../../../src/model/key-split.ts";

const LIMITS = { payloadBytesMax: 1_000_000, envelopeBytes: 14 };

function held(messageId: string, groupId: string | undefined, together: Together | undefined): HeldMessage {
  const message = {
    messageId,
    groupId,
    receiveCount: 1,
    bytes: 1,
    encodedBytes: 10,
    sentMs: 0,
    handle: messageId,
  };
  return {
    message,
    receivedMs: 0,
    holdUntilMs: 1_000,
    spanMs: 1_000,
    isLost: false,
    together,
    isSettled: false,
  };
}

/** Each receive: what it was asked for by a worker before, and the groups of what it brought. */
function filled(batchSize: number, ...receives: readonly (readonly [adoptedMax: number, groups: string])[]) {
  const buffer = new MessageBuffer({ batchSize, ...LIMITS });
  let ordinal = 0;
  for (const [adoptedMax, groups] of receives) {
    const together = { adoptedMax, waiting: 0 };
    for (const group of groups) buffer.add(held(`${group}${++ordinal}`, group, together));
  }
  return () => buffer.take().map(({ message }) => message.messageId);
}

test("a batch is not filled with a part of another receive: what it left behind might have to go back", () => {
  const take = filled(3, [0, "a"], [0, "bbb"], [0, "c"], [0, "d"]);
  assert.deepEqual([take(), take(), take()], [["a1"], ["b2", "b3", "b4"], ["c5", "d6"]]);
});

test("what the worker before asked for goes in one batch, though batches are smaller by now, and nothing joins it", () => {
  const take = filled(1, [4, "aab"], [0, "c"], [0, "de"]);
  assert.deepEqual([take(), take(), take()], [["a1", "a2", "b3"], ["c4"], ["d5"]]);
});

test("messages without order fill a batch, whatever they came with", () => {
  const buffer = new MessageBuffer({ batchSize: 3, ...LIMITS });
  for (let ordinal = 1; ordinal <= 5; ordinal++) buffer.add(held(`m${ordinal}`, undefined, undefined));
  assert.deepEqual([buffer.take().length, buffer.take().length], [3, 2]);
});

test("a batch has groups of one version, and those of another have the next one at once", () => {
  const split = new KeySplit(new Map([["2", 0.5]]), "alias-1");
  const groups = "abcdefgh".split("");
  const [mine = "", other = ""] = [0, 1].map((side) => groups.find((group) => split.sideOf(group) === side));
  const buffer = new MessageBuffer({ batchSize: 10, ...LIMITS });
  for (const [index, group] of [mine, other, mine, other].entries())
    buffer.add(held(`${group}${index}`, group, undefined));
  const take = () => buffer.take(split).map(({ message }) => message.messageId);
  assert.deepEqual(
    [take(), take()],
    [
      [`${mine}0`, `${mine}2`],
      [`${other}1`, `${other}3`],
    ],
  );
});
