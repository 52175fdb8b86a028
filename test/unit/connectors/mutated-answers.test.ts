import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzAnswers, READERS } from "../../fuzz/fuzz-answers.ts";

const ANSWERS = 10_000;

for (const kind of Object.keys(READERS) as (keyof typeof READERS)[]) {
  test(`a mutated answer of ${kind} is refused or read as its JSON says, ${ANSWERS} times`, () => {
    const { read, refused, elements } = fuzzAnswers(kind, ANSWERS, 1);
    assert.equal(read + refused, ANSWERS);
    assert.ok(refused > ANSWERS / 5 && elements > ANSWERS / 5);
  });
}
