import assert from "node:assert/strict";
import { test } from "node:test";
import { ManifestWatch } from "../../../src/cli/manifest-watch.ts";
import { createManualClock } from "../functions/manual-clock.ts";

test("a change is told once, when it has stood still from one look to the next", () => {
  const { write, told, look } = startWatch();
  look(3);
  assert.equal(told(), 0);
  write("half");
  look(1);
  write("whole");
  look(1);
  assert.equal(told(), 0, "it was being written");
  look(1);
  assert.equal(told(), 1);
  look(5);
  assert.equal(told(), 1);
});

test("a change that is taken back before it stood still is none", () => {
  const { write, told, look } = startWatch();
  write("other");
  look(1);
  write("first");
  look(3);
  assert.equal(told(), 0);
});

test("nothing is told after the watch was stopped", () => {
  const { write, told, look, watch } = startWatch();
  write("other");
  look(1);
  watch.stop();
  look(5);
  assert.equal(told(), 0);
});

function startWatch() {
  const clock = createManualClock();
  let text = "first";
  let count = 0;
  const watch = new ManifestWatch(
    () => text,
    clock,
    () => {
      count += 1;
    },
  );
  return {
    watch,
    told: () => count,
    write(next: string) {
      text = next;
    },
    look(times: number) {
      for (let time = 0; time < times; time++) clock.advance(1_000);
    },
  };
}
