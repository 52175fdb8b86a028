import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamDeployment } from "../../../src/engine/engine.ts";
import { reasonsOf } from "../../../src/engine/reasons.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import { NO_SHARDS, REASON_CODES, type ReasonCode } from "../../../src/model/reason.ts";
import type { ProgressStore } from "../../../src/ports/progress-store.ts";
import { SmallQueue } from "./queue/small-queue.ts";
import { SmallWorld, SUCCEEDED } from "./stream/small-world.ts";

const FAILED = { kind: "functionError", errorType: "TypeError", message: "no" } as const;
const FOR_EVER = new Promise<never>(() => undefined);
const GONE = new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "no route");

/** All codes that an engine says of its mapping. */
function codesOf({
  engine,
  clock,
  mapping,
}: Pick<SmallWorld, "engine" | "clock"> & { mapping: { uuid: string } }) {
  const explanation = engine.explain(mapping.uuid);
  assert(explanation !== undefined);
  return reasonsOf(explanation, clock.now()).flatMap(({ reasons }) => reasons.map(({ code }) => code));
}

async function codesAfter(world: SmallWorld, ms: number, deployment: StreamDeployment = world.deployment()) {
  world.engine.start(deployment);
  await world.clock.advance(ms);
  return codesOf(world);
}

/** A function that gives this answer, whatever it gets. */
async function whenAnswered(
  handler: SmallWorld["handler"],
  ...args: ConstructorParameters<typeof SmallWorld>
) {
  const world = new SmallWorld(...args);
  world.appendMany("s1", 3);
  world.handler = handler;
  return codesAfter(world, 5_000);
}

async function whenReadingFails(error: MillraceError) {
  const world = new SmallWorld();
  world.readFailure = error;
  return codesAfter(world, 5_000);
}

async function whenDestinationSays(error: Error) {
  const world = new SmallWorld({ retryAttemptsMax: 0, onFailureDestination: "file:x" });
  world.appendMany("s1", 1);
  world.handler = () => FAILED;
  world.deliver = () => Promise.reject(error);
  return codesAfter(world, 5_000);
}

async function whenStore(change: Partial<ProgressStore>, ms: number, shards: readonly string[] = ["s1"]) {
  const world = new SmallWorld({}, {}, shards);
  world.appendMany("s1", 3);
  Object.assign(world.store, change);
  return codesAfter(world, ms);
}

/** The mapping's broker divides its shards, and gave this process none. */
async function whenBroker(kind: "dividing" | "divided") {
  const world = new SmallWorld();
  const { store } = world;
  world.progress = {
    initialise: (uuid, shards) => store.initialise(uuid, shards),
    add: (uuid, shards) => store.add(uuid, shards),
    list: async () => [],
    acquire: async () => undefined,
    renew: async () => ({ kind: "fenced" }),
    release: async () => "fenced",
    checkpoint: async () => "fenced",
    remove: async () => undefined,
    requestHandover: async () => undefined,
    division: () => ({ kind, sinceMs: 0 }),
    close: async () => undefined,
  };
  return codesAfter(world, 5_000);
}

async function queueCodes(queue: SmallQueue, ms: number) {
  await queue.clock.advance(ms);
  return codesOf(queue);
}

type Produced = () => Promise<readonly ReasonCode[]>;

/** Each on a real engine, by what it is there for. */
const PRODUCED: Readonly<Partial<Record<ReasonCode, Produced>>> = {
  idle: () => queueCodes(new SmallQueue(), 1_000),
  caughtUp: () => whenAnswered(() => SUCCEEDED),
  progressing: async () => {
    const world = new SmallWorld({}, { readRecords: 1 });
    world.appendMany("s1", 3);
    world.handler = () => FOR_EVER;
    return codesAfter(world, 0);
  },
  fillingBatch: () => whenAnswered(() => SUCCEEDED, { batchingWindowMs: 60_000 }),
  functionRuns: () => whenAnswered(() => FOR_EVER),
  windowOpen: () =>
    whenAnswered(() => ({ kind: "succeeded", payload: Buffer.from('{"state":{"n":1}}') }), {
      tumblingWindowMs: 60_000,
    }),
  functionFails: () => whenAnswered(() => FAILED),
  functionTimesOut: () => whenAnswered(() => ({ kind: "timedOut" })),
  partialWithoutProgress: () =>
    whenAnswered(
      () => ({ kind: "succeeded", payload: Buffer.from('{"batchItemFailures":[{"itemIdentifier":"1"}]}') }),
      {
        reportBatchItemFailures: true,
      },
    ),
  malformedResponse: () =>
    whenAnswered(() => ({ kind: "succeeded", payload: Buffer.from("nonsense") }), {
      reportBatchItemFailures: true,
    }),
  windowStateMissing: () =>
    whenAnswered(() => ({ kind: "succeeded", payload: Buffer.from("{}") }), { tumblingWindowMs: 60_000 }),
  payloadTooLarge: () => whenAnswered(() => ({ kind: "payloadTooLarge" })),
  functionUnavailable: () => whenAnswered(() => ({ kind: "unavailable", message: "refused" })),
  functionThrottled: () => whenAnswered(() => ({ kind: "throttled", retryAfterMs: 60_000 })),
  atConcurrency: async () => {
    const world = new SmallWorld({}, {}, ["s1", "s2"]);
    for (const shardId of ["s1", "s2"]) world.appendMany(shardId, 1);
    world.concurrency = 1;
    world.handler = () => FOR_EVER;
    return codesAfter(world, 5_000);
  },
  adaptiveLimit: async () => {
    const shards = Array.from({ length: 8 }, (_, index) => `s${index}`);
    const world = new SmallWorld({}, {}, shards);
    for (const shardId of shards) world.appendMany(shardId, 1);
    world.handler = ({ atMs }) => (atMs < 2_000 ? { kind: "throttled", retryAfterMs: 100 } : FOR_EVER);
    const deployment = world.deployment();
    const fn = { ...deployment.fn, concurrency: 8, isConcurrencyAdaptive: true };
    return codesAfter(world, 20_000, { ...deployment, fn });
  },
  waitsForSlot: async () => {
    const world = new SmallWorld();
    world.concurrency = 1;
    world.appendMany("s1", 1);
    world.handler = () => FOR_EVER;
    const other = world.deployment();
    const mapping = { ...other.mapping, uuid: "9f0f5a4e-0000-4000-8000-000000000009", name: "other" };
    world.engine.start({ ...other, mapping });
    await world.clock.advance(1_000);
    return codesAfter(world, 5_000);
  },
  sharedMaximumTaken: async () => {
    const first = new SmallQueue({ concurrencyMax: 2 });
    await first.clock.advance(1_000);
    const { clock, store } = first;
    const second = new SmallQueue({ concurrencyMax: 2 }, { clock, store, owner: "process-2" });
    return queueCodes(second, 0);
  },
  destinationUnavailable: () => whenDestinationSays(new Error("full")),
  destinationRejected: () =>
    whenDestinationSays(new MillraceError("ERR_MILLRACE_DESTINATION_REJECTED", "too large for it")),
  sourceThrottled: () => whenReadingFails(new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", "slow down")),
  sourceUnavailable: () => whenReadingFails(new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "503")),
  sourceDenied: () =>
    whenReadingFails(new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "denied", { fault: "denied" })),
  sourceGone: () =>
    whenReadingFails(new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "gone", { fault: "notFound" })),
  sourceSilent: async () => {
    const world = new SmallWorld();
    const deployment = world.deployment();
    const reader = { read: () => FOR_EVER, close: async () => undefined };
    return codesAfter(world, 40_000, {
      ...deployment,
      source: { ...deployment.source, openReader: async () => reader },
    });
  },
  sourceHoldsBack: async () => {
    const world = new SmallWorld();
    const hold = () => {
      world.tellNext = { offsetLag: 5 };
      world.clock.schedule(10, hold);
    };
    hold();
    return codesAfter(world, 5_000);
  },
  readingFull: () => whenAnswered(() => FAILED, {}, { shardWindowRecords: 2, readRecords: 2 }),
  budgetTaken: async () => {
    const world = new SmallWorld({ batchSize: 1 }, { mappingBudgetBytes: 450, readRecords: 2 }, ["s1", "s2"]);
    for (const shardId of ["s1", "s2"]) world.appendMany(shardId, 8);
    world.handler = () => FAILED;
    return codesAfter(world, 5_000);
  },
  trimmedGap: async () => {
    const world = new SmallWorld();
    world.tellNext = { trimmed: true };
    return codesAfter(world, 5_000);
  },
  skippingSettled: async () => {
    const world = new SmallWorld({ parallelizationFactor: 4, batchSize: 1 }, { readRecords: 1 });
    world.append("s1", { key: "bad" }, ...Array.from({ length: 9 }, (_, index) => ({ key: `k${index}` })));
    world.handler = ({ positions }) => (positions.includes(1) ? FAILED : SUCCEEDED);
    world.start();
    await world.clock.advance(5_000);
    await world.engine.stop(0);
    const next = world.newProcess("process-2", { readRecords: 1 });
    const deployment = world.deployment();
    const source = {
      ...deployment.source,
      openReader: async (...place: Parameters<typeof deployment.source.openReader>) => {
        const reader = await deployment.source.openReader(...place);
        return {
          ...reader,
          read: async (...bounds: Parameters<typeof reader.read>) => ({
            ...(await reader.read(...bounds)),
            readAgainAfterMs: 1_000,
          }),
        };
      },
    };
    next.start({ ...deployment, source });
    const seen: ReasonCode[] = [];
    for (let step = 0; step < 20; step++) {
      await world.clock.advance(500);
      seen.push(...codesOf({ ...world, engine: next, clock: world.clock, mapping: world.mapping }));
    }
    return seen;
  },
  filterPassesNothing: async () => {
    const world = new SmallWorld({ filterPatterns: ['{"partitionKey":["k"]}'] });
    world.idleReadMs = 60_000;
    world.append("s1", { key: "other" });
    return codesAfter(world, 601_000);
  },
  waitsForParent: async () => {
    const shards = [
      { shardId: "s1", parentShardIds: [], closed: false },
      { shardId: "child", parentShardIds: ["s1"], closed: false },
    ];
    const world = new SmallWorld({}, {}, shards);
    return codesAfter(world, 5_000);
  },
  waitsForLease: async () => {
    const world = new SmallWorld();
    const { store, mapping } = world;
    world.start();
    await world.clock.advance(500);
    const list = store.list.bind(store);
    store.list = async (uuid) =>
      (await list(uuid)).map((row) => ({ ...row, owner: "dead", epoch: 7, counter: 7 }));
    store.acquire = async () => undefined;
    const second = world.newProcess("process-2");
    second.start({ ...world.deployment(), mapping });
    await world.clock.advance(6_000);
    return codesOf({ engine: second, clock: world.clock, mapping });
  },
  handingOver: async () => {
    const world = new SmallWorld({}, {}, ["s1", "s2"]);
    for (const shardId of ["s1", "s2"]) world.appendMany(shardId, 1);
    world.handler = () => FOR_EVER;
    world.start();
    await world.clock.advance(2_000);
    world.newProcess("process-2").start(world.deployment());
    await world.clock.advance(5_000);
    return codesOf(world);
  },
  leaseNotRenewed: () => whenStore({ renew: () => Promise.reject(GONE) }, 15_000),
  unowned: () => whenStore({ acquire: async () => undefined }, 15_000),
  storeUnavailable: () => whenStore({ list: () => Promise.reject(GONE) }, 5_000),
  checkpointFails: () => whenStore({ checkpoint: () => Promise.reject(GONE) }, 5_000),
  [NO_SHARDS]: () => whenBroker("divided"),
  groupRebalancing: () => whenBroker("dividing"),
  groupBusy: async () => {
    // An event has room for one of the two that come together.
    const queue = new SmallQueue({ batchSize: 2 }, { fifo: true, settings: { payloadBytesMax: 150 } });
    queue.handler = () => FOR_EVER;
    queue.send("a1", "a2");
    return queueCodes(queue, 5_000);
  },
  messagesHidden: async () => {
    const queue = new SmallQueue();
    queue.handler = () => FAILED;
    queue.send("a");
    return queueCodes(queue, 5_000);
  },
  movesToDeadLetter: async () => {
    const queue = new SmallQueue({}, { receivesMax: 1 });
    queue.handler = () => FAILED;
    queue.send("a");
    return queueCodes(queue, 5_000);
  },
  waitsForPlace: async () => {
    const queue = new SmallQueue({ batchSize: 1 });
    queue.handler = () => FOR_EVER;
    for (let index = 0; index < 40; index++) queue.send(`m${index}`);
    return queueCodes(queue, 5_000);
  },
  stopping: async () => {
    const queue = new SmallQueue();
    queue.handler = () => FOR_EVER;
    queue.send("a");
    await queue.clock.advance(1_000);
    void queue.engine.stop(60_000);
    return queueCodes(queue, 1_000);
  },
};

/** Codes of the control plane and of all processes together, and where they are produced. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  redrivePaced: "test/unit/parking/redrive-reasons.test.ts",
  redrivePaused: "test/unit/parking/redrive-reasons.test.ts",
  redriveWaits: "test/unit/parking/redrive-reasons.test.ts",
  redriveUnreadable: "test/unit/parking/redrive-reasons.test.ts",
  redriveUncertain: "test/unit/parking/redrive-reasons.test.ts",
  eventsShut: "test/unit/control/beside-reasons.test.ts",
  eventsWait: "test/unit/control/beside-reasons.test.ts",
  eventsFail: "test/unit/control/beside-reasons.test.ts",
  eventsHeldBack: "test/unit/control/beside-reasons.test.ts",
  eventsFull: "test/unit/control/beside-reasons.test.ts",
  deliveryWaits: "test/unit/control/beside-reasons.test.ts",
  scheduleOff: "test/unit/control/beside-reasons.test.ts",
  scheduleOver: "test/unit/control/beside-reasons.test.ts",
  ticksMissed: "test/unit/control/beside-reasons.test.ts",
  frontOff: "test/unit/control/beside-reasons.test.ts",
  storesDiffer: "test/unit/control/cause-text.test.ts",
  disabled: "test/unit/control/mapping-reasons.test.ts",
  updating: "test/unit/control/mapping-reasons.test.ts",
  manifestShadowed: "test/unit/control/mapping-reasons.test.ts",
  cannotStart: "test/unit/control/remedies.test.ts",
  failed: "test/unit/control/remedies.test.ts",
  accountConcurrency: "test/unit/invocation/function-invoker.test.ts",
  zeroConcurrency: "test/unit/engine/stream/shut-door.test.ts",
  noSuchFunction: "test/unit/engine/stream/shut-door.test.ts",
  notReady: "test/unit/engine/stream/shut-door.test.ts",
};

for (const [code, produce] of Object.entries(PRODUCED)) {
  test(`the engine says ${code} where it is so, and nothing is unknown`, async () => {
    const codes: readonly string[] = await produce();
    assert(codes.includes(code), codes.join());
    assert(!codes.includes("unknown"), codes.join());
  });
}

test("each code is produced by a test; nobody ever produces unknown", () => {
  const missing = REASON_CODES.filter((code) => !(code in PRODUCED) && !(code in ELSEWHERE));
  assert.deepEqual(missing, ["unknown"]);
});
