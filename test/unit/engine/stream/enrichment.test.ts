import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamDeployment } from "../../../../src/engine/engine.ts";
import { elementTexts, memberText } from "../../../../src/model/exact-json.ts";
import type { StreamMapping } from "../../../../src/model/mapping.ts";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import { answered, FAILED, PLAIN_MAPPING, SmallWorld, SUCCEEDED } from "./small-world.ts";

type Stage = (positions: readonly number[]) => InvocationOutcome;

/** A mapping whose records are positions: the enrichment answers them ten times as large. */
class EnrichedWorld {
  readonly world: SmallWorld;
  /** `e` for the enrichment, `f` for the function. */
  readonly calls: string[] = [];
  enrich: Stage = (positions) => answered(positions.map((position) => position * 10));
  run: Stage = () => SUCCEEDED;

  constructor(mapping: Partial<StreamMapping> = {}) {
    this.world = new SmallWorld(mapping);
  }

  deployment(): StreamDeployment {
    const stage = (mark: string, run: (positions: readonly number[]) => InvocationOutcome) => ({
      name: mark,
      timeoutMs: 30_000,
      concurrency: 10,
      target: {
        invoke: async (payload: Uint8Array) => {
          const positions: number[] = JSON.parse(Buffer.from(payload).toString());
          this.calls.push(`${mark}${positions.join(",")}`);
          return run(positions);
        },
        close: async () => {},
      },
    });
    return {
      ...this.world.deployment(),
      fn: stage("f", (positions) => this.run(positions)),
      pipe: {
        records: {
          data: {},
          split: (event) => [...elementTexts(memberText(Buffer.from(event).toString(), "p") ?? "[]")],
        },
        template: undefined,
        enrichment: {
          fn: stage("e", (positions) => this.enrich(positions)),
          functionArn: `${PLAIN_MAPPING.functionArn}-enrichment`,
          template: undefined,
        },
        variables: {},
      },
    };
  }

  start(owner?: string) {
    const engine = owner === undefined ? this.world.engine : this.world.newProcess(owner);
    engine.start(this.deployment());
    return engine;
  }
}

const failsOn =
  (...poison: number[]): Stage =>
  (positions) =>
    positions.some((position) => poison.includes(position)) ? FAILED : answered(positions);

test("batches are enriched one after the other, and the function gets them in their order", async () => {
  const enriched = new EnrichedWorld({ batchSize: 2 });
  enriched.world.appendMany("s1", 4);
  enriched.start();
  await enriched.world.clock.advance(1_000);
  assert.deepEqual(enriched.calls, ["e1,2", "f10,20", "e3,4", "f30,40"]);
  assert.equal((await enriched.world.checkpointOf("s1"))?.resume.kind, "after");
});

test("a failed enrichment has its batch tried again by the mapping's rules, and nothing overtakes it", async () => {
  const enriched = new EnrichedWorld({ batchSize: 2, retryAttemptsMax: 2, onFailureDestination: "file:x" });
  enriched.world.appendMany("s1", 4);
  enriched.enrich = failsOn(1);
  enriched.start();
  await enriched.world.clock.advance(20_000);
  assert.deepEqual(enriched.calls, ["e1,2", "e1,2", "e1,2", "e3,4", "f3,4"]);
  const [failure] = enriched.world.delivered;
  assert.equal(failure?.condition, "RetryAttemptsExhausted");
  assert.equal(failure?.approximateInvokeCount, 3);
});

test("a batch is split down to the record whose enrichment fails", async () => {
  const enriched = new EnrichedWorld({
    ...{ batchSize: 4, retryAttemptsMax: 0, bisectBatchOnFunctionError: true },
    onFailureDestination: "file:x",
  });
  enriched.world.appendMany("s1", 4);
  enriched.enrich = failsOn(3);
  enriched.start();
  await enriched.world.clock.advance(20_000);
  assert.deepEqual(
    enriched.calls.filter((call) => call.startsWith("f")),
    ["f1,2", "f4"],
  );
  assert.deepEqual(
    enriched.world.delivered.map(({ batch }) => batch.records?.count),
    [1],
  );
});

test("a function that fails has its batch enriched anew", async () => {
  const enriched = new EnrichedWorld();
  enriched.world.appendMany("s1", 2);
  enriched.run = () => (enriched.calls.length === 2 ? FAILED : SUCCEEDED);
  enriched.start();
  await enriched.world.clock.advance(20_000);
  assert.deepEqual(enriched.calls, ["e1,2", "f10,20", "e1,2", "f10,20"]);
});

test("the function's partial answer names records of the source, however they were enriched", async () => {
  const enriched = new EnrichedWorld({ reportBatchItemFailures: true });
  enriched.world.appendMany("s1", 3);
  enriched.run = () =>
    enriched.calls.length === 2 ? answered({ batchItemFailures: [{ itemIdentifier: "2" }] }) : SUCCEEDED;
  enriched.start();
  await enriched.world.clock.advance(20_000);
  assert.deepEqual(enriched.calls, ["e1,2,3", "f10,20,30", "e2,3", "f20,30"]);
});

test("records of which the enrichment leaves nothing are settled", async () => {
  const enriched = new EnrichedWorld({ batchSize: 2 });
  enriched.world.appendMany("s1", 4);
  enriched.enrich = (positions) => (positions.includes(1) ? answered([]) : answered(positions));
  enriched.start();
  await enriched.world.clock.advance(1_000);
  assert.deepEqual(enriched.calls, ["e1,2", "e3,4", "f3,4"]);
  assert.deepEqual((await enriched.world.checkpointOf("s1"))?.resume, { kind: "after", position: "4" });
  assert.equal(enriched.world.count("enrichment_emptied_events"), 2);
});

test("a process that dies between enrichment and function loses nothing: the next one enriches again", async () => {
  const enriched = new EnrichedWorld();
  enriched.world.appendMany("s1", 2);
  const { promise: hangs } = Promise.withResolvers<never>();
  const deployment = enriched.deployment();
  // This process is enriching when it dies: its answer never comes.
  enriched.world.engine.start({
    ...deployment,
    pipe: {
      ...(deployment.pipe ?? assert.fail()),
      enrichment: {
        functionArn: "arn",
        template: undefined,
        fn: {
          name: "dying",
          timeoutMs: 30_000,
          concurrency: 1,
          target: {
            invoke: async () => {
              enriched.calls.push("e?");
              return await hangs;
            },
            close: async () => {},
          },
        },
      },
    },
  });
  await enriched.world.clock.advance(1_000);
  assert.deepEqual(enriched.calls, ["e?"]);
  const stopped = enriched.world.engine.stop(0);
  enriched.start("process-2");
  await enriched.world.clock.advance(60_000);
  await stopped;
  assert.deepEqual(enriched.calls, ["e?", "e1,2", "f10,20"]);
  assert.deepEqual((await enriched.world.checkpointOf("s1"))?.resume, { kind: "after", position: "2" });
});

test("a stop between enrichment and function starts no function", async () => {
  const enriched = new EnrichedWorld();
  enriched.world.appendMany("s1", 2);
  let stopped: Promise<unknown> | undefined;
  enriched.enrich = (positions) => {
    stopped ??= enriched.world.engine.stop(0);
    return answered(positions);
  };
  enriched.start();
  await enriched.world.clock.advance(10_000);
  await stopped;
  assert.deepEqual(enriched.calls, ["e1,2"]);
  assert.deepEqual((await enriched.world.checkpointOf("s1"))?.resume, { kind: "oldest" });
});
