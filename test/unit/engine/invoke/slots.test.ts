import assert from "node:assert/strict";
import { test } from "node:test";
import { Slots } from "../../../../src/engine/invoke/slots.ts";

test("a free slot is taken at once, and those who wait come in their order", async () => {
  const slots = new Slots(2);
  assert.equal(slots.take(), undefined);
  assert.equal(slots.take(), undefined);
  const came: number[] = [];
  const waits = [1, 2, 3].map((place) => slots.take()?.then(() => came.push(place)));
  slots.give();
  await waits[0];
  assert.deepEqual(came, [1]);
  slots.give();
  slots.give();
  await Promise.all(waits);
  assert.deepEqual(came, [1, 2, 3]);
});

test("never more slots are taken than there are", async () => {
  const slots = new Slots(3);
  let taken = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      await slots.take();
      most = Math.max(most, ++taken);
      await Promise.resolve();
      taken--;
      slots.give();
    }),
  );
  assert.equal(most, 3);
});
