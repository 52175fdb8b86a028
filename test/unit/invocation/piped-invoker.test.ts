import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocableFunction } from "../../../src/invocation/invocable-function.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import { mappingDoor } from "../../../src/invocation/mapping-door.ts";
import type { Pipe } from "../../../src/invocation/piped-invoker.ts";
import { type InputTemplate, isTemplateFault, readInputTemplate } from "../../../src/model/input-template.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import { pipedElements } from "../../../src/model/pipe-elements.ts";
import type { Invocation } from "../../../src/ports/invoker.ts";
import { ManualClock, SILENT_TELEMETRY } from "../engine/stream/small-world.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:";

function answer(value: unknown): InvocationOutcome {
  return {
    kind: "succeeded",
    payload: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
  };
}

function template(text: string): InputTemplate {
  const read = readInputTemplate(text);
  return isTemplateFault(read) ? assert.fail(read.problem) : read;
}

/** A mapping's door, behind which two functions answer what a test says. */
class PipedWorld {
  readonly calls: string[] = [];
  readonly counted: string[] = [];
  readonly invokers: InvokerBook;
  enrich: (records: string) => InvocationOutcome | Promise<InvocationOutcome> = (records) => answer(records);
  run: (records: string) => InvocationOutcome = () => answer(null);
  readonly #pipe: Pipe;

  constructor(templates: { readonly before?: string; readonly after?: string } = {}, isEnriched = true) {
    const telemetry = {
      ...SILENT_TELEMETRY,
      count: (counter: string, mapping: string, amount: number) =>
        void this.counted.push(`${counter} ${mapping} ${amount}`),
    };
    this.telemetry = telemetry;
    this.invokers = new InvokerBook(new ManualClock(), telemetry);
    const enricher = this.#fn("enricher", (records) => this.enrich(records));
    this.#pipe = {
      records: { data: { body: "json" }, split: pipedElements },
      template: templates.after === undefined ? undefined : template(templates.after),
      enrichment: isEnriched
        ? {
            fn: enricher,
            functionArn: `${ARN}enricher`,
            template: templates.before === undefined ? undefined : template(templates.before),
          }
        : undefined,
      variables: { "pipe-name": "orders" },
    };
  }

  readonly telemetry: typeof SILENT_TELEMETRY;

  #fn(name: string, invoke: (records: string) => InvocationOutcome | Promise<InvocationOutcome>) {
    const fn: InvocableFunction = {
      name,
      timeoutMs: 3_000,
      concurrency: 1,
      target: {
        invoke: async (payload) => {
          const records = Buffer.from(payload).toString();
          this.calls.push(`${name} ${records}`);
          return await invoke(records);
        },
        close: async () => {},
      },
    };
    return fn;
  }

  door(payloadBytesMax = 1_000) {
    const fn = this.#fn("orders", (records) => this.run(records));
    const options = { clock: new ManualClock(), telemetry: this.telemetry, bounds: { payloadBytesMax } };
    return mappingDoor(this.invokers, { fn, pipe: this.#pipe }, options);
  }

  invoke(records: readonly unknown[], more: Partial<Invocation> = {}, payloadBytesMax = 1_000) {
    return this.door(payloadBytesMax).invoke({
      caller: { kind: "mapping", key: "orders" },
      requestId: "r1",
      functionArn: `${ARN}orders`,
      batch: { records: records.length, isRetry: false, arrivalMs: undefined },
      payload: () => Buffer.from(JSON.stringify({ Records: records })),
      mayStart: () => true,
      signal: new AbortController().signal,
      ...more,
    });
  }
}

test("what the enrichment answers takes the place of the records, by both templates", async () => {
  const world = new PipedWorld({
    before: '{"in":<$.body.x>}',
    after: '{"out":<$.y>,"of":"<aws.pipes.pipe-name>"}',
  });
  world.enrich = () => answer([{ y: 1 }, { y: 2 }, { y: 3 }]);
  world.run = () => answer({ batchItemFailures: [] });
  const result = await world.invoke([{ body: '{"x":7}' }, { body: '{"x":8}' }]);
  assert.deepEqual(world.calls, [
    'enricher [{"in":7},{"in":8}]',
    'orders [{"out":1,"of":"orders"},{"out":2,"of":"orders"},{"out":3,"of":"orders"}]',
  ]);
  assert.deepEqual(result, answer({ batchItemFailures: [] }));
});

test("a template alone makes a list of records out of the event", async () => {
  const world = new PipedWorld({ after: "<$.body.x>!" }, false);
  await world.invoke([{ body: '{"x":7}' }, { body: '{"x":8}' }]);
  assert.deepEqual(world.calls, ['orders ["7!","8!"]']);
});

for (const nothing of ['""', "{}", " [ ] ", "[]", "{ }"]) {
  test(`an enrichment that answers ${nothing} leaves nothing for the function to do`, async () => {
    const world = new PipedWorld();
    world.enrich = () => answer(nothing);
    const result = await world.invoke([{ a: 1 }, { a: 2 }]);
    assert.deepEqual(world.calls, ['enricher [{"a":1},{"a":2}]']);
    assert.equal(result.kind, "succeeded");
    assert.ok(world.counted.includes("enrichment_emptied_events orders 2"));
  });
}

test("an enrichment that answers [{}] has the function called with an empty record", async () => {
  const world = new PipedWorld();
  world.enrich = () => answer("[{}]");
  await world.invoke([{ a: 1 }]);
  assert.deepEqual(world.calls.slice(1), ["orders [{}]"]);
});

test("one value in the place of a list is a batch of one", async () => {
  const world = new PipedWorld();
  world.enrich = () => answer({ all: 2 });
  await world.invoke([{ a: 1 }, { a: 2 }]);
  assert.deepEqual(world.calls.slice(1), ['orders [{"all":2}]']);
});

for (const [said, bytes] of [
  ["null", "null"],
  ["nothing at all", ""],
  ["what is no JSON", "{broken"],
  ["more records than a batch may have", JSON.stringify(Array.from({ length: 10_001 }, () => 1))],
] as const) {
  test(`an enrichment that answers ${said} has failed, and the function is not called`, async () => {
    const world = new PipedWorld();
    world.enrich = () => answer(bytes);
    const result = await world.invoke([{ a: 1 }]);
    assert.equal(result.kind === "functionError" && result.errorType, "Enrichment.InvalidResponse");
    assert.equal(world.calls.length, 1);
  });
}

const ENDINGS: readonly InvocationOutcome[] = [
  { kind: "functionError", errorType: "Error", message: "boom" },
  { kind: "timedOut" },
  { kind: "throttled", retryAfterMs: 5 },
  { kind: "unavailable", message: "away" },
  { kind: "payloadTooLarge" },
];

for (const ending of ENDINGS) {
  test(`an enrichment that ends ${ending.kind} is what the call comes to`, async () => {
    const world = new PipedWorld();
    world.enrich = () => ending;
    const result = await world.invoke([{ a: 1 }]);
    assert.equal(result.kind, ending.kind);
    assert.equal(world.calls.length, 1);
  });
}

test("an enriched batch that no function takes is too large, and so can be split", async () => {
  const world = new PipedWorld();
  world.enrich = () => answer([{ a: "x".repeat(100) }]);
  assert.deepEqual(await world.invoke([{ a: 1 }], {}, 100), { kind: "payloadTooLarge" });
  assert.equal(world.calls.length, 1);
});

test("records that a template makes too large are sent to nobody", async () => {
  const world = new PipedWorld({ before: '["<$.a>","<$.a>"]' });
  assert.deepEqual(await world.invoke([{ a: "x".repeat(60) }], {}, 100), { kind: "payloadTooLarge" });
  assert.deepEqual(world.calls, []);
  assert.equal(world.invokers.taken, 0);
});

test("a stage's batch is measured in bytes: what fits in characters only is sent to nobody", async () => {
  const world = new PipedWorld({ before: '{"name":<$.a>}' });
  assert.deepEqual(await world.invoke([{ a: "é".repeat(60) }], {}, 100), { kind: "payloadTooLarge" });
  assert.deepEqual(world.calls, []);
});

test("the function does not start when its mapping may not any more", async () => {
  const world = new PipedWorld();
  let mayStart = true;
  world.enrich = (records) => {
    mayStart = false;
    return answer(records);
  };
  const result = await world.invoke([{ a: 1 }], { mayStart: () => mayStart });
  assert.deepEqual(result, { kind: "notStarted" });
  assert.equal(world.calls.length, 1);
});

test("each stage holds a place of its own function, and only while it runs", async () => {
  const world = new PipedWorld();
  const taken: number[] = [];
  world.enrich = (records) => {
    taken.push(world.invokers.taken);
    return answer(records);
  };
  world.run = () => {
    taken.push(world.invokers.taken);
    return answer(null);
  };
  await world.invoke([{ a: 1 }]);
  assert.deepEqual([...taken, world.invokers.taken], [1, 1, 0]);
});

test("records are counted once, though two functions get them", async () => {
  const world = new PipedWorld();
  await world.invoke([{ a: 1 }, { a: 2 }]);
  assert.deepEqual(world.counted, ["invoked_events orders 2"]);
});

test("what a source cannot encode is thrown on, and no place stays taken", async () => {
  const world = new PipedWorld();
  const payload = () => {
    throw new TypeError("no event");
  };
  await assert.rejects(world.invoke([], { payload }), /no event/);
  assert.equal(world.invokers.taken, 0);
});

test("a mapping is shut when its enrichment is", () => {
  const world = new PipedWorld();
  const door = world.door();
  assert.equal(door.shut(`${ARN}orders`), undefined);
  void world.invokers.withdraw("enricher");
  assert.equal(door.shut(`${ARN}orders`), "noSuchFunction");
  assert.equal(door.explain("orders", `${ARN}orders`).name, "enricher");
});
