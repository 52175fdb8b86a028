import assert from "node:assert/strict";
import { test } from "node:test";
import { ConcurrencyShare } from "../../../../src/engine/queue/concurrency-share.ts";
import { DEFAULT_SETTINGS } from "../../../../src/engine/settings.ts";
import { SourceProblems } from "../../../../src/engine/stream/source-problems.ts";
import { createMemoryStore } from "../../../../src/stores/memory.ts";
import { ManualClock, SILENT_TELEMETRY } from "../stream/small-world.ts";

const { leaseDurationMs } = DEFAULT_SETTINGS;

/** Processes that share a maximum; `running` is what each runs at the moment. */
class Sharers {
  readonly clock = new ManualClock();
  readonly store = createMemoryStore();
  readonly running = new Map<string, number>();
  /** Processes whose store does not answer. */
  readonly cutOff = new Set<string>();
  /** Processes with messages that wait for a batch. */
  readonly waiting = new Set<string>();

  join(owner: string, concurrencyMax: number): ConcurrencyShare {
    const share = new ConcurrencyShare({
      problems: new SourceProblems(),
      mappingUuid: "mapping",
      mapping: "mapping",
      concurrencyMax,
      owner,
      store: new Proxy(this.store, {
        get: (store, name) => {
          if (this.cutOff.has(owner)) return () => Promise.reject(new Error("cut off"));
          const member: unknown = Reflect.get(store, name);
          return typeof member === "function" ? member.bind(store) : member;
        },
      }),
      clock: this.clock,
      telemetry: SILENT_TELEMETRY,
      settings: DEFAULT_SETTINGS,
      isEmptyHanded: () => !this.waiting.has(owner),
      running: () => this.running.get(owner) ?? 0,
      onChange: () => {},
    });
    share.start();
    return share;
  }
}

test("one process has the whole maximum, whatever its size", async () => {
  for (const concurrencyMax of [1, 2, 16, 17, 1_000]) {
    const sharers = new Sharers();
    const share = sharers.join("one", concurrencyMax);
    assert.equal(share.places, 0, "nothing before the store has said so");
    await sharers.clock.advance(1);
    assert.equal(share.places, concurrencyMax);
  }
});

test("processes that join get even parts, and the sum is never above the maximum", async () => {
  const sharers = new Sharers();
  const shares = [sharers.join("process-0", 100)];
  for (let joined = 1; joined < 5; joined++) {
    await sharers.clock.advance(20_000);
    shares.push(sharers.join(`process-${joined}`, 100));
    for (let second = 0; second < 20; second++) {
      await sharers.clock.advance(1_000);
      const sum = shares.reduce((total, { places }) => total + places, 0);
      assert.ok(sum <= 100, `${sum} places`);
    }
  }
  const places = shares.map((share) => share.places);
  assert.equal(
    places.reduce((sum, each) => sum + each),
    100,
  );
  // Sixteen parts of six or seven: three or four of them for each.
  assert.ok(Math.min(...places) >= 18 && Math.max(...places) <= 28, places.join());
});

test("a part is handed over only when the batches that run fit into what is left", async () => {
  const sharers = new Sharers();
  const one = sharers.join("one", 2);
  await sharers.clock.advance(1);
  sharers.running.set("one", 2);
  const two = sharers.join("two", 2);
  await sharers.clock.advance(60_000);
  assert.deepEqual([one.places, two.places], [1, 0]);
  sharers.running.set("one", 1);
  one.lookAtHandovers();
  await sharers.clock.advance(1_000);
  assert.deepEqual([one.places, two.places], [1, 1]);
});

test("processes beyond the maximum wait, and take over when one is gone", async () => {
  const sharers = new Sharers();
  const shares = ["one", "two", "three"].map((owner) => sharers.join(owner, 2));
  await sharers.clock.advance(10_000);
  assert.deepEqual(shares.map(({ places }) => places).toSorted(), [0, 1, 1]);
  const leaving = shares.find(({ places }) => places === 1);
  await Promise.all([leaving?.end(), sharers.clock.advance(5_000)]);
  assert.deepEqual(shares.map(({ places }) => places).toSorted(), [0, 1, 1]);
  assert.equal(leaving?.places, 0);
});

test("a process that its store does not answer stops before others take its part", async () => {
  const sharers = new Sharers();
  const one = sharers.join("one", 4);
  await sharers.clock.advance(1);
  const two = sharers.join("two", 4);
  await sharers.clock.advance(20_000);
  assert.deepEqual([one.places, two.places], [2, 2]);
  sharers.cutOff.add("one");
  let mostTogether = 0;
  for (let elapsedMs = 0; elapsedMs < leaseDurationMs + 3_000; elapsedMs += 100) {
    await sharers.clock.advance(100);
    mostTogether = Math.max(mostTogether, one.places + two.places);
  }
  assert.deepEqual([one.places, two.places, mostTogether], [0, 4, 4]);
  sharers.cutOff.delete("one");
  await sharers.clock.advance(10_000);
  assert.deepEqual([one.places, two.places], [2, 2]);
});

test("a smaller maximum of a new configuration leaves the parts of the old one alone", async () => {
  const sharers = new Sharers();
  const before = sharers.join("one", 10);
  await sharers.clock.advance(1);
  await Promise.all([before.end(), sharers.clock.advance(10)]);
  const after = sharers.join("two", 3);
  await sharers.clock.advance(1_000);
  assert.equal(after.places, 3);
});

test("who stops without a part, and has messages in hand, takes one part for them and no more", async () => {
  const sharers = new Sharers();
  const first = sharers.join("first", 4);
  await sharers.clock.advance(1);
  const second = sharers.join("second", 4);
  sharers.waiting.add("second");
  second.close();
  await sharers.clock.advance(10_000);
  assert.deepEqual([second.places, second.lastPlaces, first.places], [0, 1, 3], "for what is in hand alone");
  sharers.waiting.clear();
  second.lookAtHandovers();
  await sharers.clock.advance(10_000);
  assert.deepEqual([second.lastPlaces, first.places], [0, 4]);
});
