import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocableFunction } from "../../../../src/invocation/invocable-function.ts";
import { InvokerBook } from "../../../../src/invocation/invoker-book.ts";
import { KeySplit } from "../../../../src/model/key-split.ts";
import type { StreamMapping } from "../../../../src/model/mapping.ts";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import type { FunctionTarget } from "../../../../src/ports/function-target.ts";
import { FAILED, SILENT_TELEMETRY, SmallWorld, SUCCEEDED } from "./small-world.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:fn:live";
/** Keys that move at the first step, at the second, and with all traffic. */
const [EARLY, LATER, LAST] = [keyBetween(0, 0.1), keyBetween(0.1, 0.5), keyBetween(0.5, 1)];

function keyBetween(from: number, to: number): string {
  const split = new KeySplit(new Map(), "alias-1");
  for (let index = 0; ; index++) {
    const place = split.placeOf(`key-${index}`);
    if (place >= from && place < to) return `key-${index}`;
  }
}

/** A mapping of `fn:live`; what each version was called with, in order. */
class AliasWorld extends SmallWorld {
  readonly seen: string[] = [];
  readonly book: InvokerBook;
  #version = "";
  #fn: InvocableFunction;

  constructor(mapping: Partial<StreamMapping> = {}) {
    super({ functionArn: ARN, batchSize: 10, ...mapping });
    this.book = new InvokerBook(this.clock, SILENT_TELEMETRY);
    const { fn } = this.deployment();
    const versions = ["1", "2"].map((version): [string, FunctionTarget] => [
      version,
      {
        ...fn.target,
        invoke: (...call) => {
          this.#version = version;
          return fn.target.invoke(...call);
        },
      },
    ]);
    this.#fn = { ...fn, versions: new Map(versions) };
    this.handler = () => SUCCEEDED;
  }

  /** So much of the traffic is version 2's. */
  async shift(weight: number): Promise<void> {
    const route =
      weight === 1
        ? { version: "2", weights: new Map<string, number>() }
        : { version: "1", weights: new Map(weight === 0 ? [] : [["2", weight]]), salt: "alias-1" };
    this.#fn = { ...this.#fn, aliases: new Map([["live", route]]) };
    void this.book.replace(this.#fn);
  }

  begin(answer: (version: string) => InvocationOutcome | Promise<InvocationOutcome>): void {
    this.handler = ({ positions }) => {
      const version = this.#version;
      this.seen.push(`${version}: ${positions.join(" ")}`);
      return answer(version);
    };
    const engine = this.newProcess("process-1", {}, this.book);
    engine.start({ ...this.deployment(), fn: this.#fn });
  }
}

test("a batch has keys of one version: what of a page is another version's goes beside it", async () => {
  const world = new AliasWorld();
  await world.shift(0.1);
  world.append("s1", { key: EARLY }, { key: LATER }, { key: EARLY }, { key: LAST });
  world.begin(() => SUCCEEDED);
  await world.clock.advance(1_000);
  assert.deepEqual(world.seen.toSorted(), ["1: 2 4", "2: 1 3"]);
});

test("keys that move wait until the batch with them has ended, and then all that waits is dealt out anew", async () => {
  const world = new AliasWorld({ batchSize: 2 });
  await world.shift(0.1);
  world.append("s1", { key: LATER }, { key: LAST }, { key: LATER }, { key: LAST }, { key: EARLY });
  let finish: ((outcome: InvocationOutcome) => void) | undefined;
  world.begin((version) =>
    version === "1" && finish === undefined ? new Promise((resolve) => (finish = resolve)) : SUCCEEDED,
  );
  await world.clock.advance(1_000);
  assert.deepEqual(world.seen.toSorted(), ["1: 1 2", "2: 5"]);
  await world.shift(0.5);
  world.append("s1", { key: EARLY });
  await world.clock.advance(1_000);
  assert.equal(world.seen.length, 2);
  finish?.(SUCCEEDED);
  await world.clock.advance(1_000);
  assert.deepEqual(world.seen.slice(2).toSorted(), ["1: 4", "2: 3 6"]);
  assert.ok(world.marks.has("waiting records dealt out anew"));
});

for (const [weight, what, next] of [
  [0.1, "went back", "2: 2"],
  [0, "were taken away", "1: 2"],
  [1, "became all", "2: 2"],
] as const) {
  test(`records that were held for weights which ${what} start when what they waited for has ended`, async () => {
    const world = new AliasWorld();
    await world.shift(0.1);
    world.append("s1", { key: LATER });
    let finish: ((outcome: InvocationOutcome) => void) | undefined;
    world.begin((version) =>
      version === "1" && finish === undefined ? new Promise((resolve) => (finish = resolve)) : SUCCEEDED,
    );
    await world.clock.advance(1_000);
    await world.shift(0.5);
    world.append("s1", { key: EARLY });
    await world.clock.advance(1_000);
    assert.deepEqual(world.seen, ["1: 1"]);
    await world.shift(weight);
    finish?.(SUCCEEDED);
    // Sooner than the shard is read again.
    await world.clock.advance(1);
    assert.deepEqual(world.seen, ["1: 1", next]);
  });
}

test("the next attempt of a batch that version 2 fails goes to version 1 when the rollout has gone back", async () => {
  const world = new AliasWorld();
  await world.shift(0.1);
  world.append("s1", { key: EARLY });
  world.begin((version) => (version === "2" ? FAILED : SUCCEEDED));
  await world.clock.advance(300);
  assert.ok(world.seen.length > 0 && world.seen.every((call) => call === "2: 1"));
  await world.shift(0);
  await world.clock.advance(60_000);
  assert.equal(world.seen.at(-1), "1: 1");
});

test("a retried batch of version 1 stays there until its rollout has ended with all traffic", async () => {
  const world = new AliasWorld();
  await world.shift(0.1);
  world.append("s1", { key: LATER });
  world.begin(() => FAILED);
  await world.clock.advance(300);
  await world.shift(0.9);
  await world.clock.advance(5_000);
  assert.ok(world.seen.every((call) => call === "1: 1"));
  await world.shift(1);
  await world.clock.advance(60_000);
  assert.equal(world.seen.at(-1), "2: 1");
});

test("an alias that goes by requests has batches of all keys", async () => {
  const world = new AliasWorld();
  world.append("s1", { key: EARLY }, { key: LATER }, { key: LAST });
  await world.shift(0);
  const { fn } = world.deployment();
  const route = { version: "1", weights: new Map([["2", 0.5]]), routing: "request" as const };
  const versions = new Map([
    ["1", fn.target],
    ["2", fn.target],
  ]);
  const engine = world.newProcess("process-1", {}, world.book);
  engine.start({ ...world.deployment(), fn: { ...fn, versions, aliases: new Map([["live", route]]) } });
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1, 2, 3]]);
});

test("a tumbling window goes to one version as a whole", async () => {
  const world = new AliasWorld({ tumblingWindowMs: 1_000, batchSize: 2 });
  await world.shift(0.5);
  world.appendMany("s1", 10, (index) => [EARLY, LATER, LAST][index % 3] ?? EARLY);
  world.begin(() => SUCCEEDED);
  await world.clock.advance(5_000);
  const versions = new Set(world.seen.map((call) => call.slice(0, 1)));
  assert.ok(world.seen.length >= 5 && versions.size === 1);
});
