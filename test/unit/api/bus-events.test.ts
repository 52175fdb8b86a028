import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { OpenedAsyncDestinations } from "../../../src/control/async-destinations.ts";
import type { BusEntry } from "../../../src/ports/async-destinations.ts";
import { FunctionApi } from "./function-api.ts";

const FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
const BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/shop";
const ENTRY = { Source: "shop", DetailType: "order", Detail: '{"id":"o-1"}' };

function call(api: FunctionApi, operation: string, body: object) {
  return api.ask("POST", "/", body, {
    "x-amz-target": `AWSEvents.${operation}`,
    "content-type": "application/x-amz-json-1.1",
  });
}

async function withRule(t: TestContext, rule: object, target: object = {}): Promise<FunctionApi> {
  const api = await FunctionApi.start(t);
  await call(api, "PutRule", { Name: "ended", ...rule });
  const bus = "EventBusName" in rule ? { EventBusName: rule.EventBusName } : {};
  const Targets = [{ Id: "1", Arn: FUNCTION, ...target }];
  const put = await call(api, "PutTargets", { Rule: "ended", ...bus, Targets });
  assert.equal(put.body["FailedEntryCount"], 0);
  return api;
}

function destinations(api: FunctionApi): OpenedAsyncDestinations {
  const never = () => Promise.reject(new Error("nothing is opened"));
  return new OpenedAsyncDestinations({
    ...{ openDestination: never, openHttpDestination: never, kinds: [] },
    toBus: (bus, entry) => api.plane.timed.busItems(bus, entry),
  });
}

const ENDED: BusEntry = {
  source: "lambda",
  detailType: "Lambda Function Invocation Result - Success",
  detail: '{"version":"1.0","responsePayload":{"ok":true}}',
  resources: [BUS, `${FUNCTION}:$LATEST`],
  lineage: "0a1b2c3d:3",
};

test("a bus as a destination hands the end of an event to its rules, and the chain with it", async (t) => {
  const EventPattern = JSON.stringify({ source: ["lambda"], detail: { responsePayload: { ok: [true] } } });
  const api = await withRule(t, { EventBusName: "shop", EventPattern });
  const route = destinations(api).routeOf(BUS);
  const items = route.kind === "bus" ? route.itemsOf(ENDED) : [];
  assert.equal(items.length, 1);
  assert.deepEqual([items[0]?.lane, items[0]?.state.lineage], ["f:orders", "0a1b2c3d:3"]);
  const { id: _id, time: _time, ...event } = JSON.parse(Buffer.from(items[0]?.body ?? []).toString());
  assert.deepEqual(event, {
    version: "0",
    "detail-type": "Lambda Function Invocation Result - Success",
    source: "lambda",
    account: "123456789012",
    region: "eu-west-1",
    resources: [BUS, `${FUNCTION}:$LATEST`],
    detail: { version: "1.0", responsePayload: { ok: true } },
  });
});

test("the end of an event that no rule of its bus takes leaves nothing behind", async (t) => {
  const api = await withRule(t, { EventPattern: JSON.stringify({ source: ["lambda"] }) });
  const route = destinations(api).routeOf(BUS);
  assert.deepEqual(route.kind === "bus" && route.itemsOf(ENDED), []);
});

for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
  test(`a template may name <${name}>, which no path is given for`, async (t) => {
    const InputTransformer = {
      InputPathsMap: { id: "$.detail.id" },
      InputTemplate: `{"id":<id>,"x":<${name}>}`,
    };
    const rule = { EventPattern: JSON.stringify({ source: ["shop"] }) };
    const api = await withRule(t, rule, { InputTransformer });
    const { body } = await call(api, "PutEvents", { Entries: [ENTRY] });
    assert.equal(body["FailedEntryCount"], 0);
    const [item] = api.world.events.accepted;
    assert.deepEqual(JSON.parse(Buffer.from(item?.body ?? []).toString()), { id: "o-1", x: null });
  });
}

test("an entry that a template would blow up is refused by itself, and its neighbours are put", async (t) => {
  const InputTemplate = `[${Array.from({ length: 200 }, () => "<aws.events.event.json>").join(",")}]`;
  const rule = { EventPattern: JSON.stringify({ source: ["shop"] }) };
  const api = await withRule(t, rule, { InputTransformer: { InputPathsMap: {}, InputTemplate } });
  const large = { ...ENTRY, Detail: JSON.stringify({ id: "x".repeat(40_000) }) };
  const { status, body } = await call(api, "PutEvents", { Entries: [large, ENTRY] });
  assert.deepEqual([status, body["FailedEntryCount"]], [200, 1]);
  assert.match(JSON.stringify(body), /The rule [^ ]+ makes more than 1048576 bytes/);
  assert.equal(api.world.events.accepted.length, 1);
});

test("a detail that is nested too deep to be written again is malformed, and its neighbours are put", async (t) => {
  const api = await withRule(t, { EventPattern: JSON.stringify({ source: ["shop"] }) });
  const Detail = `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`;
  const { status, body } = await call(api, "PutEvents", { Entries: [ENTRY, { ...ENTRY, Detail }] });
  assert.deepEqual([status, body["FailedEntryCount"]], [200, 1]);
  assert.match(JSON.stringify(body), /MalformedDetail/);
  assert.equal(api.world.events.accepted.length, 1);
});

test("a batch of CloudEvents is put whole, or refused whole", async (t) => {
  const api = await withRule(t, { EventPattern: JSON.stringify({ source: ["shop"] }) });
  const event = { id: "1", source: "shop", type: "order", specversion: "1.0", data: {} };
  const headers = { "content-type": "application/cloudevents-batch+json" };
  const url = "/millrace/v1/cloudevents";
  const half = await api.ask("POST", url, [event, { ...event, id: "" }], headers);
  assert.deepEqual([half.status, api.world.events.accepted.length], [400, 0]);
  assert.equal((await api.ask("POST", url, [event, event], headers)).status, 202);
  assert.equal(api.world.events.accepted.length, 2);
});
