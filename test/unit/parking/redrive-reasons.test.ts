import assert from "node:assert/strict";
import { test } from "node:test";
import { withRedrives } from "../../../src/control/told-redrives.ts";
import { DEFAULT_SETTINGS } from "../../../src/engine/settings.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import { REDRIVE_SHARE_DEFAULT, type RedriveItem } from "../../../src/model/redrive.ts";
import { RedriveBook } from "../../../src/parking/redrive-book.ts";
import type { RedriveMapping } from "../../../src/parking/redrive-context.ts";
import { Redriver } from "../../../src/parking/redriver.ts";
import type { RedriveFeed, WantedRedrive } from "../../../src/ports/redrives.ts";
import type { Span } from "../../../src/ports/tracing.ts";
import { createMemoryStore } from "../../../src/stores/memory.ts";
import { createMemoryParkingStore } from "../../../src/stores/memory-parking.ts";
import { SeededRandom } from "../../simulation/random.ts";
import { ManualClock } from "../engine/stream/manual-clock.ts";
import { SILENT_TELEMETRY } from "../engine/stream/small-world.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:fn";
const MAPPING = "m-1";

const WANTED: WantedRedrive = {
  name: "fix",
  mapping: MAPPING,
  selection: "{}",
  to: { kind: "function" },
  rate: undefined,
  share: REDRIVE_SHARE_DEFAULT,
  delivery: "at-most-once",
  selected: 3,
  caller: "lin@ops",
};

function itemsOf(count: number): readonly RedriveItem[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `i${index}`,
    failureId: "f",
    itemId: `${index}`,
    shardId: "s",
    position: `${index}`,
    key: `k${index}`,
    arrivalMs: 1,
    element: Buffer.from(`{"n":${index}}`),
  }));
}

interface Given {
  readonly call?: () => Promise<InvocationOutcome>;
  readonly window?: RedriveFeed["window"];
  readonly traces?: NonNullable<RedriveFeed["tracesOf"]>;
  readonly routeIsOpen?: boolean;
  readonly concurrency?: number;
  readonly isStoreAway?: () => boolean;
}

/** A process that redrives three records of one mapping. */
function worldOf(given: Given = {}) {
  const clock = new ManualClock();
  const inner = createMemoryParkingStore();
  const store = new Proxy(inner, {
    get(target, name, receiver) {
      if (name === "start" && given.isStoreAway?.() === true)
        return () => Promise.reject(new Error("the store is away"));
      const member: unknown = Reflect.get(target, name, receiver);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const gauges = new Map<string, number>();
  const spans: Span[] = [];
  const telemetry = {
    ...SILENT_TELEMETRY,
    gauge: (name: string, mapping: string, value: number) => void gauges.set(`${name} ${mapping}`, value),
  };
  const feed: RedriveFeed = {
    window: given.window ?? (async () => ({ items: itemsOf(3), next: undefined })),
    loaded: async () => undefined,
    ended: async () => undefined,
    finished: async () => undefined,
    ...(given.traces === undefined ? {} : { tracesOf: given.traces }),
  };
  const random = new SeededRandom(1);
  const redriver = new Redriver({
    ...{ store, feed, clock, random, telemetry, owner: "p1", digest: (text: string) => text },
    progress: createMemoryStore(),
    settings: DEFAULT_SETTINGS,
    tracing: {
      sampling: { ratio: 1, followsParent: true },
      linksMax: 10,
      record: (span) => void spans.push(span),
    },
  });
  const call = given.call ?? (() => new Promise<InvocationOutcome>(() => undefined));
  const invoker = new InvokerBook(clock, telemetry).invokerOf({
    name: "fn",
    target: { invoke: call, close: async () => undefined },
    timeoutMs: 600_000,
    concurrency: given.concurrency ?? 16,
  });
  const explain = (key: string) => invoker.explain(key, ARN);
  const mapping: RedriveMapping = {
    ...{ uuid: MAPPING, name: "orders", functionName: "fn", functionArn: ARN, batchSize: 10 },
    ...{ retryAttemptsMax: 5, reportBatchItemFailures: false },
    events: {
      eventSourceArn: undefined,
      oversizedRecord: undefined,
      envelopeBytes: () => 20,
      eventOf: (_shard, elements) => Buffer.from(`[${elements.map((each) => Buffer.from(each)).join()}]`),
    },
    subject: (shardId) => ({
      ...{ mapping: "orders", mappingUuid: MAPPING, functionName: "fn", functionArn: ARN, sourceKind: "toy" },
      ...{ eventSourceArn: undefined, shardId, sourceName: undefined, consumerGroup: undefined },
      destination: undefined,
    }),
    routeOf: () =>
      given.routeIsOpen === false
        ? undefined
        : { invoker, functionArn: ARN, concurrency: given.concurrency ?? 16, explain },
  };
  const book = new RedriveBook({ store: inner, clock, random });
  return { clock, redriver, mapping, book, gauges, spans };
}

async function codesAfter(
  world: ReturnType<typeof worldOf>,
  ms: number,
  wanted: Partial<WantedRedrive> = {},
): Promise<readonly string[]> {
  await world.book.create({ ...WANTED, ...wanted });
  world.redriver.begin(world.mapping);
  await world.clock.advance(ms);
  const parts = world.redriver.parts(MAPPING);
  assert.deepEqual(
    parts.map(({ part, holdsWork }) => [part, holdsWork]),
    [["redrive fix", true]],
  );
  return parts.flatMap(({ reasons }) => reasons.map(({ code }) => code));
}

const THROTTLED: InvocationOutcome = { kind: "throttled", retryAfterMs: undefined };
const FAILED: InvocationOutcome = { kind: "functionError", errorType: "TypeError", message: "no price" };

test("a redrive says that the function has its records", async () => {
  assert.deepEqual(await codesAfter(worldOf(), 5_000), ["functionRuns"]);
});

test("a redrive says that the function fails, with the attempts, while its records are tried again", async () => {
  const world = worldOf({ call: async () => FAILED });
  await world.book.create(WANTED);
  world.redriver.begin(world.mapping);
  const seen = new Set<string>();
  for (let step = 0; step < 200; step++) {
    await world.clock.advance(10);
    const reasons = world.redriver.parts(MAPPING).flatMap((part) => part.reasons);
    for (const { code, facts } of reasons) if (Number(facts["attempts"]) > 0) seen.add(code);
  }
  assert.deepEqual([...seen], ["functionFails"]);
});

test("a redrive says that the function refuses calls", async () => {
  assert.deepEqual(await codesAfter(worldOf({ call: async () => THROTTLED }), 20_000), ["functionThrottled"]);
});

test("a redrive says that it keeps to its rate", async () => {
  const world = worldOf({ call: async () => ({ kind: "succeeded", payload: Buffer.from("null") }) });
  const codes = await codesAfter(world, 20_000, { rate: 0.01 });
  assert.deepEqual(codes, ["redrivePaced"]);
});

test("a redrive says that others have the places of the mapping's redrives", async () => {
  const world = worldOf();
  await world.book.create({ ...WANTED, name: "first", share: 1 });
  world.redriver.begin(world.mapping);
  await world.clock.advance(5_000);
  await world.book.create({ ...WANTED, name: "second", share: 1 });
  await world.book.create({ ...WANTED, name: "third", share: 1 });
  await world.clock.advance(10_000);
  const third = world.redriver.parts(MAPPING).find(({ part }) => part === "redrive third");
  assert.deepEqual(
    third?.reasons.map(({ code, facts }) => [code, facts["most"]]),
    [["waitsForPlace", 4]],
  );
});

test("a redrive says that what it is fed with cannot be read", async () => {
  const world = worldOf({ window: () => Promise.reject(new Error("the bucket is away")) });
  assert.deepEqual(await codesAfter(world, 5_000), ["redriveUnreadable"]);
  const [part] = world.redriver.parts(MAPPING);
  assert.match(String(part?.reasons[0]?.facts["problem"]), /the bucket is away/);
});

test("a redrive says that the store is away, and no more once it is back", async () => {
  let isAway = true;
  const world = worldOf({ isStoreAway: () => isAway });
  assert.deepEqual(await codesAfter(world, 20_000), ["storeUnavailable"]);
  isAway = false;
  await world.clock.advance(20_000);
  const [part] = world.redriver.parts(MAPPING);
  assert.deepEqual(
    part?.reasons.map(({ code }) => code),
    ["functionRuns"],
  );
});

test("a redrive says that the function that it names cannot be opened", async () => {
  const wanted = { to: { kind: "candidate", functionName: "other" } } as const;
  assert.deepEqual(await codesAfter(worldOf({ routeIsOpen: false }), 5_000, wanted), ["notReady"]);
});

test("a redrive that is over or paused is no part any more, and its gauges are 0", async () => {
  const world = worldOf({ call: async () => ({ kind: "succeeded", payload: Buffer.from("null") }) });
  await world.book.create(WANTED);
  world.redriver.begin(world.mapping);
  await world.clock.advance(2_000);
  await world.clock.advance(10_000);
  assert.deepEqual(world.redriver.parts(MAPPING), []);
  assert.equal((await world.book.get("fix"))?.state, "done");
  assert.equal(world.gauges.get("redrive_left_events orders"), 0);
  assert.equal(world.gauges.get("redrives_running orders"), 0);
});

test("gauges tell what is left of a redrive that runs", async () => {
  const world = worldOf();
  await codesAfter(world, 12_000);
  assert.equal(world.gauges.get("redrive_left_events orders"), 3);
  assert.equal(world.gauges.get("redrives_running orders"), 1);
});

test("each call of a redrive is a span of the mapping, under its request id", async () => {
  const world = worldOf({ call: async () => ({ kind: "succeeded", payload: Buffer.from("null") }) });
  await world.book.create(WANTED);
  world.redriver.begin(world.mapping);
  await world.clock.advance(10_000);
  assert.deepEqual(
    world.spans.map((span) => [span.kind, "subject" in span && span.subject.mapping, span.problem]),
    Array.from({ length: 3 }, () => ["invocation", "orders", undefined]),
  );
  assert.equal(new Set(world.spans.map(({ requestId }) => requestId)).size, 3);
});

test("a call of a redrive is linked to the attempt that its record failed with, and waits for no list of them", async () => {
  const [traceId, spanId] = ["5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"];
  const call = async (): Promise<InvocationOutcome> => ({ kind: "succeeded", payload: Buffer.from("null") });
  const linksOf = async (traces: NonNullable<RedriveFeed["tracesOf"]>) => {
    const world = worldOf({ call, traces });
    await world.book.create(WANTED);
    world.redriver.begin(world.mapping);
    await world.clock.advance(10_000);
    assert.equal(world.spans.length, 3, "all are handed over");
    return world.spans.map((span) => ("links" in span ? span.links : []));
  };
  const known = await linksOf(
    async (_redrive, ids) => new Map(ids.map((id) => [id, `00-${traceId}-${spanId}-01`])),
  );
  for (const links of known)
    assert.deepEqual(
      links.map((link) => [link.traceId, link.spanId]),
      [[traceId, spanId]],
    );
  for (const links of await linksOf(() => Promise.reject(new Error("the list is away"))))
    assert.deepEqual(links, []);
});

const HERE = { processId: "p1", isHere: true, standing: "lives", ageMs: 0 } as const;
const SIGHT = { processes: [HERE], parts: [], shards: 1, errors: { errors: [], leftOut: 0 } };

async function codesOf(
  change: (book: RedriveBook) => Promise<unknown>,
  state = "Enabled",
): Promise<readonly string[]> {
  const { book } = worldOf();
  await book.create(WANTED);
  await change(book);
  const redrives = await book.pending();
  const mapping = { uuid: MAPPING, state, nowMs: 1_000, process: HERE };
  const processes = state === "Enabled" ? [HERE] : [];
  const { parts } = withRedrives({ ...SIGHT, processes }, redrives, mapping);
  return parts.flatMap(({ part, reasons }) => reasons.map(({ code }) => `${part}: ${code}`));
}

test("a redrive that is paused says so, whoever is asked", async () => {
  assert.deepEqual(await codesOf((book) => book.pause("fix")), ["redrive fix: redrivePaused"]);
});

test("a redrive of a mapping that does not run says that nobody hands it over", async () => {
  assert.deepEqual(await codesOf(async () => undefined, "Disabled"), ["redrive fix: redriveWaits"]);
  assert.deepEqual(await codesOf(async () => undefined), [], "who runs the mapping says it");
});

test("a redrive that is done and has uncertain records says that somebody has to decide", async () => {
  const { book } = worldOf();
  await book.create(WANTED);
  const [redrive] = await book.pending();
  assert(redrive !== undefined);
  const done = { ...redrive, state: "done", counts: { ...redrive.counts, uncertain: 2 } } as const;
  const mapping = { uuid: MAPPING, state: "Enabled", nowMs: 1_000, process: HERE };
  const { parts } = withRedrives(SIGHT, [done], mapping);
  assert.deepEqual(
    parts.flatMap(({ reasons }) => reasons.map(({ code, facts }) => [code, facts["records"]])),
    [["redriveUncertain", 2]],
  );
});
