import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { MillraceProcess } from "../cli/millrace-process.ts";
import { until } from "../cli/millrace-process.ts";
import type { FailingWorld } from "./failing-world.ts";

/** What each place of failures is asked to bear: as many failures, of as many keys, and as many kills on their way. */
export const FAILURES = 1_000;
export const KEYS = 87;
export const SHARDS = 3;
const KILLS = 10;
/**
 * Where the last kill is: each leaves at most four records uncertain, and what is of their keys waits behind them, so
 * that so many are reached in any case.
 */
const LAST_KILL = 550;

export const KILLED = { timeout: 600_000 };

export interface KilledRedrive {
  readonly mapping: string;
  /** Shards that a plan tells. */
  readonly shards: number;
  /** The place shows few of a key at a time: a dry run counts the others, and does not look at them. */
  readonly isShownInPart?: boolean;
  /** Everything is listed, or lies where it is redriven from. */
  ready(run: MillraceProcess): Promise<void>;
  /** Nothing of it is left to be redriven. */
  isAllOver(api: string): Promise<boolean>;
}

interface Status {
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
}

const NAME = "back";
const LOOK_MS = 200;
/** Stops a test that hangs, also on a machine that is very busy. */
const REACH_MS = 120_000;

/**
 * Redrives everything of a mapping while its process is killed at ten places of the way: in order per key, none twice,
 * what is uncertain is told, counts add up, and a dry run says beforehand what will happen.
 */
export async function proveKilledRedrive(
  t: TestContext,
  world: FailingWorld,
  place: KilledRedrive,
): Promise<void> {
  const walk = new Walk(t, world);
  await place.ready(walk.run);
  world.isBroken = false;
  walk.say("ready");
  await provePlan(walk, world, place);
  await walk.post("redrives", { mapping: place.mapping, name: NAME });
  for (let kill = 1; kill <= KILLS; kill++) {
    await walk.killAt(Math.floor((kill * LAST_KILL) / KILLS));
    walk.say(`killed at ${world.worked().length}`);
  }
  const first = await walk.ended();
  const { done = 0, uncertain = 0, held = 0, failed, gone, selected, loaded } = first.counts;
  walk.say(`${JSON.stringify(first.counts)}`);
  assert.deepEqual(
    { failed, gone, selected, loaded },
    { failed: 0, gone: 0, selected: FAILURES, loaded: FAILURES },
  );
  assert.equal(done + uncertain + held, FAILURES, "counts add up");
  const once = [...world.worked()];
  assert.equal(new Set(once).size, once.length, "none twice");
  assert.ok(once.length >= done && once.length <= done + uncertain, "uncertain is what may have run");
  assertOrder(once);
  await proveRest(walk, world, { once, uncertain, status: first });
  await until(
    async () => (await place.isAllOver(await walk.api())) || (await pause()),
    () => "something is left to be redriven",
  );
  walk.run.kill("SIGTERM");
  assert.deepEqual(await walk.run.ended, { status: 0, signal: null });
  walk.say("over");
}

async function provePlan(walk: Walk, world: FailingWorld, place: KilledRedrive): Promise<void> {
  const { mapping, shards, isShownInPart = false } = place;
  const { plan } = await walk.post("redrives", { mapping, dryRun: true });
  assert.deepEqual(
    [plan.failures, plan.records, plan.keys, plan.shards],
    [FAILURES, FAILURES, KEYS, shards],
    "a dry run says beforehand what will happen",
  );
  const { kept, unseen, ...none } = plan.payload;
  assert.deepEqual(none, { gone: 0, reread: 0 });
  assert.equal(kept + unseen, FAILURES);
  assert.equal(unseen > 0, isShownInPart, `${unseen} were not looked at`);
  assert.equal(world.worked().length, 0, "and does nothing");
}

interface FirstRound {
  readonly once: readonly string[];
  readonly uncertain: number;
  readonly status: Status;
}

/** What was uncertain is handed over again when somebody says so, and what was held behind it follows. */
async function proveRest(walk: Walk, world: FailingWorld, first: FirstRound): Promise<void> {
  const { once, uncertain } = first;
  let { status } = first;
  for (let round = 0; status.counts["uncertain"] !== 0 && round < 5; round++) {
    await walk.post(`redrives/${NAME}/retry-uncertain`, {});
    status = await walk.ended();
  }
  assert.deepEqual(
    { done: status.counts["done"], uncertain: status.counts["uncertain"], held: status.counts["held"] },
    { done: FAILURES, uncertain: 0, held: 0 },
  );
  const all = world.worked();
  assert.equal(new Set(all).size, FAILURES, "each has been there");
  const begun = new Set(once);
  const again = all.slice(once.length).filter((data) => begun.has(data));
  assert.ok(all.length === FAILURES + again.length && again.length <= uncertain, "what was uncertain alone");
  assertOrder([...new Set(all)]);
}

/** One process after the other, and what is asked of it. */
class Walk {
  readonly #t: TestContext;
  readonly #world: FailingWorld;
  readonly #startMs = performance.now();
  run: MillraceProcess;
  #api: Promise<string> | undefined;

  constructor(t: TestContext, world: FailingWorld) {
    this.#t = t;
    this.#world = world;
    this.run = world.run({ leases: "short" });
  }

  say(what: string): void {
    this.#t.diagnostic(`${((performance.now() - this.#startMs) / 1_000).toFixed(1)} s: ${what}`);
  }

  api(): Promise<string> {
    this.#api ??= this.run.apiUrl();
    return this.#api;
  }

  async post(path: string, body: object) {
    const response = await fetch(`${await this.api()}/millrace/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  /** Kills it when the function has had so many of the redrive's records, and starts another. */
  async killAt(calls: number): Promise<void> {
    const reached = Promise.withResolvers<void>();
    const look = () => {
      if (this.#world.worked().length >= calls) reached.resolve();
    };
    this.#world.onCall = look;
    look();
    const stands = () => `stands at ${this.#world.worked().length}: ${this.run.stderr.slice(-3_000)}`;
    const late = setTimeout(() => reached.reject(new Error(stands())), REACH_MS);
    await reached.promise.finally(() => clearTimeout(late));
    this.#world.onCall = () => {};
    this.run.kill("SIGKILL");
    await this.run.ended;
    this.run = this.#world.run({ leases: "short" });
    this.#api = undefined;
  }

  async ended(): Promise<Status> {
    let status = await this.#status();
    await until(
      async () => {
        status = await this.#status();
        return status.state === "done" || (await pause());
      },
      () => `${JSON.stringify(status)} ${this.run.stderr.slice(-3_000)}`,
    );
    return status;
  }

  async #status(): Promise<Status> {
    const response = await fetch(`${await this.api()}/millrace/v1/redrives/${NAME}`);
    return (await response.json()) as Status;
  }
}

/** The process works meanwhile. Answers that it is not yet. */
async function pause(): Promise<false> {
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  return false;
}

/** Records of each key in the order of their numbers. */
function assertOrder(seen: readonly string[]): void {
  const byKey = Map.groupBy(seen, (data) => data.split(":")[0]);
  for (const [key, own] of byKey) {
    const numbers = own.map((data) => Number(data.split(":")[1]));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      `${key} is out of order`,
    );
  }
}

/** Of a mapping whose failures are listed, once it has given all of them up. */
export function listedFailures(world: FailingWorld, mapping: string): KilledRedrive {
  return {
    mapping,
    shards: SHARDS,
    ready: (run) => world.givenUp(run, FAILURES),
    async isAllOver(api) {
      const response = await fetch(`${api}/millrace/v1/failures?max=1000`);
      const { failures } = (await response.json()) as { failures: { state: string }[] };
      return failures.length === FAILURES && failures.every(({ state }) => state === "done");
    },
  };
}
