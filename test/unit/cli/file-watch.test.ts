import assert from "node:assert/strict";
import { test } from "node:test";
import { FileWatch } from "../../../src/cli/file-watch.ts";
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

test("a hint tells a change at once, when nothing follows it, and a change without a hint is found all the same", () => {
  const { write, told, hint, look, clock } = startWatch();
  write("half");
  hint();
  clock.advance(100);
  write("whole");
  hint();
  clock.advance(149);
  assert.equal(told(), 0, "it was being written");
  clock.advance(1);
  assert.equal(told(), 1);
  hint();
  clock.advance(150);
  assert.equal(told(), 1, "a hint may be wrong");
  write("other");
  look(2);
  assert.equal(told(), 2);
});

test("folders are asked for anew at each look: what is named there may have changed", () => {
  const { folders, watched, look } = startWatch();
  assert.deepEqual(watched(), ["/manifests"]);
  folders.add("/modules");
  look(1);
  assert.deepEqual(watched(), ["/manifests", "/modules"]);
});

test("nothing is told after the watch was stopped", () => {
  const { write, told, look, hint, watch, clock, watched } = startWatch();
  write("other");
  hint();
  look(0);
  watch.stop();
  look(5);
  hint();
  clock.advance(1_000);
  assert.equal(told(), 0);
  assert.equal(watched(), undefined, "folders are watched no more");
});

test("what was changed between the first reading and the start of the watch is told", () => {
  const { told, look } = startWatch("changed meanwhile");
  look(1);
  assert.equal(told(), 1);
});

function startWatch(atStart = "first") {
  const clock = createManualClock();
  const folders = new Set(["/manifests"]);
  let text = atStart;
  let count = 0;
  let onHint = () => {};
  let watched: readonly string[] | undefined;
  const watch = new FileWatch({
    watched: [
      {
        known: "first",
        read: () => text,
        onChange: () => {
          count += 1;
        },
        folders: () => folders,
      },
    ],
    clock,
    watchFolders: (listener) => {
      onHint = listener;
      return {
        watch(wanted) {
          watched = [...wanted];
        },
        close() {
          watched = undefined;
        },
      };
    },
  });
  return {
    watch,
    clock,
    folders,
    watched: () => watched,
    told: () => count,
    hint: () => onHint(),
    write(next: string) {
      text = next;
    },
    look(times: number) {
      for (let time = 0; time < times; time++) clock.advance(1_000);
    },
  };
}
