import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Deque } from "../../../src/lib/deque.ts";

test("gives what it was given, in that order, whatever is taken in between", () => {
  const push = fc.record({ push: fc.integer({ min: 0, max: 3_000 }) });
  const take = fc.record({ take: fc.integer({ min: 0, max: 2_000 }) });
  fc.assert(
    fc.property(fc.array(fc.oneof(push, take), { maxLength: 12 }), (steps) => {
      const deque = new Deque<number>();
      const model: number[] = [];
      let next = 0;
      for (const step of steps) {
        if ("push" in step) {
          for (let count = 0; count < step.push; count++) {
            deque.push(next);
            model.push(next++);
          }
        } else assert.deepEqual(deque.take(step.take), model.splice(0, step.take));
        assert.equal(deque.size, model.length);
        assert.equal(deque.peek(), model[0]);
        assert.equal(deque.peek(model.length - 1), model.at(-1));
      }
    }),
    { numRuns: 50 },
  );
});
