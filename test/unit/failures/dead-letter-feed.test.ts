import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadLetterFeed } from "../../../src/failures/dead-letter-feed.ts";
import type { Redrive, RedriveItem } from "../../../src/model/redrive.ts";
import type { RedriveWindow } from "../../../src/ports/redrives.ts";
import { bodyOf, SimLetters } from "./sim-letters.ts";

const BOUNDS = { itemsMax: 1_000, bytesMax: 1_000_000 };
const HOLD_MS = 20_000;
const COUNTS = {
  selected: 0,
  loaded: 0,
  waiting: 0,
  started: 0,
  done: 0,
  failed: 0,
  held: 0,
  gone: 0,
  uncertain: 0,
};

test("a letter is taken off when the store has it, and not before", async () => {
  const world = letterWorld(["a:1", "b:1"]);
  const feed = world.process();
  const window = given(await feed.window(world.redrive, undefined, BOUNDS));
  assert.deepEqual(window.items.map(bodyOf), ["a:1", "b:1"]);
  assert.deepEqual(world.letters.bodies, ["a:1", "b:1"]);
  await feed.loaded(world.redrive, window.next);
  assert.deepEqual(world.letters.bodies, []);
  assert.deepEqual(await feed.window(world.redrive, window.next, BOUNDS), { items: [], next: undefined });
});

test("a window whose loading failed is given again, and keeps its letters", async () => {
  const world = letterWorld(["a:1", "a:2"], 1);
  const feed = world.process();
  const window = given(await feed.window(world.redrive, undefined, BOUNDS));
  const again = given(await feed.window(world.redrive, undefined, BOUNDS));
  assert.deepEqual([again.items, again.next], [window.items, window.next]);
  assert.deepEqual(world.letters.bodies, ["a:1", "a:2"]);
});

test("a window whose loading came through in secret is taken off before the next one", async () => {
  const world = letterWorld(["a:1", "a:2"], 1);
  const feed = world.process();
  const first = given(await feed.window(world.redrive, undefined, BOUNDS));
  const second = given(await feed.window(world.redrive, first.next, BOUNDS));
  assert.deepEqual([...first.items, ...second.items].map(bodyOf), ["a:1", "a:2"]);
  assert.deepEqual(world.letters.bodies, ["a:2"]);
});

test("other letters have another cursor, so that nothing is taken for loaded that is not", async () => {
  const world = letterWorld(["a:1", "b:1"], 1);
  const feed = world.process();
  const first = given(await feed.window(world.redrive, undefined, BOUNDS));
  world.pass(HOLD_MS);
  await world.letters.open().take(1, HOLD_MS, new AbortController().signal);
  const other = given(await feed.window(world.redrive, undefined, BOUNDS));
  assert.deepEqual(other.items.map(bodyOf), ["b:1"]);
  assert.notEqual(other.next, first.next);
});

test("what a process that died has hidden is waited for, and known if it was loaded", async () => {
  const world = letterWorld(["a:1", "a:2"], 1);
  const loaded = given(await world.process().window(world.redrive, undefined, BOUNDS));
  const feed = world.process();
  assert.equal(await feed.window(world.redrive, loaded.next, BOUNDS), undefined, "not the end");
  world.pass(HOLD_MS);
  const again = given(await feed.window(world.redrive, loaded.next, BOUNDS));
  assert.deepEqual(idsOf(again), idsOf(loaded), "the same item");
  await feed.loaded(world.redrive, again.next);
  const last = given(await feed.window(world.redrive, again.next, BOUNDS));
  assert.deepEqual(last.items.map(bodyOf), ["a:2"]);
  await feed.loaded(world.redrive, last.next);
  assert.deepEqual(given(await feed.window(world.redrive, last.next, BOUNDS)).next, undefined);
  assert.deepEqual(world.letters.bodies, []);
});

test("an empty queue is not the end while somebody who looks at the letters hides them", async () => {
  const world = letterWorld(["a:1", "b:1"]);
  await world.letters.open().take(1, 10_000, new AbortController().signal);
  const feed = world.process();
  const first = given(await feed.window(world.redrive, undefined, BOUNDS));
  await feed.loaded(world.redrive, first.next);
  assert.equal(await feed.window(world.redrive, first.next, BOUNDS), undefined);
  world.pass(10_000);
  const second = given(await feed.window(world.redrive, first.next, BOUNDS));
  assert.deepEqual(second.items.map(bodyOf), ["a:1"]);
});

test("what was never loaded of a cancelled redrive stays a dead letter, once", async () => {
  const world = letterWorld(["a:1", "b:1"], 1);
  const feed = world.process();
  const first = given(await feed.window(world.redrive, undefined, BOUNDS));
  await feed.loaded(world.redrive, first.next);
  await feed.window(world.redrive, first.next, BOUNDS);
  await feed.finished({ ...world.redrive, cursor: first.next }, COUNTS, pages([first.items]));
  assert.deepEqual([...world.letters.bodies].sort(), ["a:1", "b:1"]);
});

function letterWorld(bodies: readonly string[], handedOutMax = 100) {
  let nowMs = 1_000;
  const letters = new SimLetters({ nowMs: () => nowMs, handedOutMax });
  letters.fill(bodies.map((body) => ({ group: body.split(":")[0], body })));
  const redrive: Redrive = {
    id: "r-1",
    name: "fix",
    mapping: "m-1",
    selection: "{}",
    to: { kind: "function" },
    rate: undefined,
    share: 0.25,
    delivery: "at-most-once",
    selected: bodies.length,
    caller: "test",
    createdMs: nowMs,
    state: "running",
    version: 1,
    cursor: undefined,
    isLoaded: false,
    endedMs: undefined,
    isConcluded: false,
  };
  return {
    letters,
    redrive,
    /** One that takes at most as many as are handed out at once. */
    process: () =>
      new LimitedFeed(
        new DeadLetterFeed({ clock: { monotonic: () => nowMs }, lettersOf: async () => letters.open() }),
        handedOutMax,
      ),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

class LimitedFeed {
  readonly #feed: DeadLetterFeed;
  readonly #itemsMax: number;

  constructor(feed: DeadLetterFeed, itemsMax: number) {
    this.#feed = feed;
    this.#itemsMax = itemsMax;
  }

  window(redrive: Redrive, cursor: string | undefined, bounds: typeof BOUNDS) {
    return this.#feed.window(redrive, cursor, {
      ...bounds,
      itemsMax: Math.min(bounds.itemsMax, this.#itemsMax),
    });
  }

  loaded(redrive: Redrive, cursor: string | undefined) {
    return this.#feed.loaded(redrive, cursor);
  }

  finished(...told: Parameters<DeadLetterFeed["finished"]>) {
    return this.#feed.finished(...told);
  }
}

function given(window: RedriveWindow | undefined): RedriveWindow {
  assert.ok(window !== undefined, "there is nothing just now");
  return window;
}

function idsOf({ items }: RedriveWindow): readonly string[] {
  return items.map(({ id }) => id);
}

async function* pages(items: readonly (readonly RedriveItem[])[]): AsyncGenerator<readonly RedriveItem[]> {
  yield* items;
}
