import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { LiveFrames } from "../../../src/api/page/live-frames.ts";
import { LiveReader } from "../../../src/api/page/live-reader.ts";
import type { LiveMapping } from "../../../src/control/live/live-mapping.ts";
import type { LiveView } from "../../../src/control/live/live-view.ts";

test("a frame names what has changed alone, and what is gone", () => {
  const frames = new LiveFrames();
  const next = (mappings: readonly LiveMapping[], nowMs: number) =>
    JSON.parse(frames.next(viewOf(mappings, nowMs)));
  assert.deepEqual(next([mapping("a", 1), mapping("b", 1)], 1), {
    isFull: true,
    nowMs: 1,
    problem: null,
    processes: [],
    processesLeftOut: 0,
    loadTests: [],
    mappings: [mapping("a", 1), mapping("b", 1)],
  });
  const { counts } = mapping("b", 2);
  assert.deepEqual(next([mapping("a", 1), mapping("b", 2)], 2), {
    nowMs: 2,
    mappings: [{ uuid: "b", counts }],
  });
  assert.deepEqual(next([mapping("a", 1)], 3), { nowMs: 3, gone: ["b"], mappings: [] });
});

test("a member that a mapping has no more is told as null", () => {
  const frames = new LiveFrames();
  frames.next(viewOf([{ ...mapping("a", 1), problem: "no such stream" }], 1));
  assert.deepEqual(JSON.parse(frames.next(viewOf([mapping("a", 1)], 2))).mappings, [
    { uuid: "a", problem: null },
  ]);
});

test("many mappings come in frames of 64 KiB, each in its turn, and those that need somebody first", () => {
  const frames = new LiveFrames();
  const many = (read: number) =>
    Array.from({ length: 2_000 }, (_, index) => ({
      ...mapping(`m${index}`, read),
      heldUp: index === 1_999 ? 1 : 0,
    }));
  const seen = new Set<string>();
  do {
    const text = frames.next(viewOf(many(1), 1));
    assert(text.length < 66_000, `${text.length}`);
    for (const { uuid } of JSON.parse(text).mappings) seen.add(uuid);
  } while (frames.isBehind);
  assert.equal(seen.size, 2_000);
  seen.clear();
  for (let look = 2; seen.size < 2_000; look++) {
    const text = frames.next(viewOf(many(look), look));
    assert(text.length < 66_000, `${text.length}`);
    const uuids = JSON.parse(text).mappings.map(({ uuid }: LiveMapping) => uuid);
    assert.equal(uuids[0], "m1999", "what needs somebody is in every frame");
    for (const uuid of uuids) seen.add(uuid);
    assert(look < 20, "none starves though all change at every look");
  }
});

test("a page that does not read holds no more than a frame, and is closed", () => {
  const sink = new StuckSink();
  const reader = new LiveReader("ada", sink);
  let held = 0;
  for (let look = 1; !sink.destroyed; look++) {
    assert(look < 100, "it is closed");
    const changing = Array.from({ length: 1_000 }, (_, index) => mapping(`m${index}`, look));
    reader.look(viewOf(changing, look));
    held = Math.max(held, sink.writableLength);
  }
  assert(held > 0 && held < 66_000, `${held} bytes are queued for it`);
});

test("a page that reads slowly is told how things are, and not all that was in between", () => {
  const sink = new StuckSink();
  const reader = new LiveReader("ada", sink);
  reader.look(viewOf([mapping("a", 1)], 1));
  for (let look = 2; look <= 200; look++) {
    sink.read(4);
    reader.look(viewOf([mapping("a", look)], look));
    assert(!sink.destroyed, "it reads, however slowly");
    assert(sink.writableLength < 1_000, `${sink.writableLength}`);
  }
  sink.read(sink.writableLength);
  sink.taken = "";
  reader.look(viewOf([mapping("a", 500)], 500));
  const { counts } = mapping("a", 500);
  assert.deepEqual(JSON.parse(sink.text.slice("data: ".length)), {
    nowMs: 500,
    mappings: [{ uuid: "a", counts }],
  });
});

test("all that there is comes at the beginning, as fast as it is read", () => {
  const sink = new StuckSink();
  const reader = new LiveReader("ada", sink);
  reader.look(
    viewOf(
      Array.from({ length: 2_000 }, (_, index) => mapping(`m${index}`, 1)),
      1,
    ),
  );
  const seen = new Set<string>();
  while (sink.text !== "") {
    assert(sink.writableLength < 66_000, `${sink.writableLength}`);
    for (const { uuid } of JSON.parse(sink.text.slice("data: ".length)).mappings) seen.add(uuid);
    sink.read(sink.writableLength);
  }
  assert.equal(seen.size, 2_000);
});

/** A connection of a page: what is written is held until the page reads. */
class StuckSink extends EventEmitter {
  text = "";
  taken = "";
  destroyed = false;

  get writableLength(): number {
    return this.text.length;
  }

  write(text: string): boolean {
    this.text += text;
    return false;
  }

  read(bytes: number): void {
    this.taken += this.text.slice(0, bytes);
    this.text = this.text.slice(bytes);
    if (this.text === "") this.emit("drain");
  }

  destroy(): this {
    this.destroyed = true;
    return this;
  }
}

function viewOf(mappings: readonly LiveMapping[], nowMs: number): LiveView {
  return { nowMs, processes: [], processesLeftOut: 0, loadTests: [], mappings };
}

function mapping(uuid: string, read: number): LiveMapping {
  return {
    uuid,
    name: uuid,
    source: "s",
    functionName: "f",
    state: "Enabled",
    lastProcessingResult: "OK",
    isFromManifest: false,
    counts: { read, invoked: 0, failed: 0, givenUp: 0 },
    oldestAgeMs: 0,
    caughtUp: true,
    shards: 1,
    processes: 1,
    heldUp: 0,
  };
}
