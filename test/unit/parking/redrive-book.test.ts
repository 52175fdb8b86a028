import assert from "node:assert/strict";
import { test } from "node:test";
import { REDRIVE_SHARE_DEFAULT } from "../../../src/model/redrive.ts";
import { RedriveBook } from "../../../src/parking/redrive-book.ts";
import type { ParkingStore } from "../../../src/ports/parking-store.ts";
import type { WantedRedrive } from "../../../src/ports/redrives.ts";
import { createMemoryParkingStore } from "../../../src/stores/memory-parking.ts";
import { SeededRandom } from "../../simulation/random.ts";
import { ManualClock } from "../engine/stream/manual-clock.ts";

const WANTED: WantedRedrive = {
  name: "price-fix",
  mapping: "m-1",
  selection: "{}",
  to: { kind: "function" },
  rate: undefined,
  share: REDRIVE_SHARE_DEFAULT,
  delivery: "at-most-once",
  selected: 3,
  caller: "lin@ops",
};

function bookOf(store: ParkingStore = createMemoryParkingStore()) {
  return new RedriveBook({ store, clock: new ManualClock(), random: new SeededRandom(1) });
}

test("a redrive has an id of its own or the one that it is given, and its name once", async () => {
  const book = bookOf();
  const made = await book.create(WANTED);
  assert.ok(made !== "exists");
  assert.match(made.id, /^[0-9a-f-]{36}$/);
  assert.deepEqual([made.state, made.counts.selected, made.counts.loaded], ["planned", 3, 0]);
  assert.equal(await book.create(WANTED), "exists");
  const other = await book.create({ ...WANTED, name: "other", id: "own" });
  assert.ok(other !== "exists");
  assert.equal(other.id, "own");
  assert.equal((await book.get("other"))?.id, "own");
  assert.equal((await book.list()).length, 2);
});

test("pause, resume and cancel may be said twice, and what does not fit is refused with the state", async () => {
  const store = createMemoryParkingStore();
  const book = bookOf(store);
  await book.create({ ...WANTED, id: "r" });
  const stateAfter = async (change: Promise<object>) => {
    const answer = await change;
    return "kind" in answer ? answer : "state" in answer && answer.state;
  };
  assert.equal(await stateAfter(book.resume("r")), "planned", "it will run by itself");
  for (let times = 0; times < 2; times++) assert.equal(await stateAfter(book.pause("price-fix")), "paused");
  for (let times = 0; times < 2; times++) assert.equal(await stateAfter(book.resume("r")), "running");
  for (let times = 0; times < 2; times++) assert.equal(await stateAfter(book.cancel("r")), "cancelled");
  const refused = { kind: "state", state: "cancelled" };
  assert.deepEqual(await book.pause("r"), refused);
  assert.deepEqual(await book.resume("r"), refused);
  assert.deepEqual(await book.setRate("r", 5), refused);
  assert.deepEqual(await book.retryUncertain("r"), refused);
  for (const change of [book.pause("x"), book.cancel("x"), book.retryUncertain("x")])
    assert.deepEqual(await change, { kind: "notFound" });
});

test("a change that meets another one is made on what the other has left", async () => {
  const store = createMemoryParkingStore();
  const book = bookOf(store);
  await book.create({ ...WANTED, id: "r" });
  const get = store.get.bind(store);
  let isFirst = true;
  store.get = async (id) => {
    const seen = await get(id);
    if (isFirst && seen !== undefined) await store.change("r", seen.version, { state: "running" });
    isFirst = false;
    return seen;
  };
  await book.pause("r");
  assert.equal((await book.get("r"))?.state, "paused");
});

test("of redrives that are over a hundred are kept, the newest, and all that are not concluded", async () => {
  const store = createMemoryParkingStore();
  const clock = new ManualClock();
  const book = new RedriveBook({ store, clock, random: new SeededRandom(1) });
  for (let index = 0; index < 120; index++) {
    await clock.advance(1);
    await book.create({ ...WANTED, id: `r${index}`, name: `n${index}` });
    await book.cancel(`r${index}`);
    if (index > 0) await store.conclude(`r${index}`);
  }
  const kept = (await book.list()).map(({ id }) => id);
  assert.equal(kept.length, 102);
  assert.ok(kept.includes("r0") && kept.includes("r119") && !kept.includes("r18"), kept.join());
});
