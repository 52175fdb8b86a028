import assert from "node:assert/strict";
import { test } from "node:test";
import { newAttemptState } from "../../../src/model/async-item.ts";
import type { ShownAsyncItem } from "../../../src/ports/async-queue.ts";
import { FunctionApi } from "./function-api.ts";

const LAST = { statusCode: 200, functionError: "Unhandled", executedVersion: "$LATEST", message: "no price" };
const ITEM: ShownAsyncItem = {
  ...{ id: "r-1", kind: "invoke", lane: "f:orders", qualifier: "live", bytes: 40 },
  state: {
    ...newAttemptState(1_700_000_000_000),
    ...{ runs: 2, functionErrors: 2, route: "schedule default/nightly" },
    last: { ...LAST, payload: '{"errorMessage":"no price"}' },
  },
  ...{ ageMs: 60_000, isHeld: false, dueInMs: 30_000, receiveCount: 2 },
  body: Buffer.from('{"order":7}'),
};

async function apiWithEvent(t: Parameters<typeof FunctionApi.start>[0]): Promise<FunctionApi> {
  const api = await FunctionApi.start(t);
  const { eventsBook } = api.world;
  Object.assign(eventsBook, {
    backlog: [{ lane: "f:orders", items: 1, bytes: 40, oldestMs: 60_000 }],
    standingOf: () => ({ items: 1, bytes: 40, oldestMs: 60_000, held: 0, room: 1 }),
    list: async (name: string, max: number) => (name === "orders" ? [ITEM].slice(0, max) : []),
    show: async (id: string) => (id === ITEM.id ? ITEM : undefined),
    deliveries: () => [{ destination: "file:x", items: 2, bytes: 1, oldestMs: 5, problem: "full" }],
  });
  return api;
}

test("events of functions are listed with what is in their way, and what waits for destinations", async (t) => {
  const api = await apiWithEvent(t);
  const { functions, deliveries } = (await api.ask("GET", "/millrace/v1/events")).body;
  assert(Array.isArray(functions) && Array.isArray(deliveries));
  assert.deepEqual(
    functions.map((each) => [each.function, each.items, each.retried, each.reasons[0].code]),
    [["orders", 1, 1, "eventsFail"]],
  );
  assert.equal(deliveries[0].destination, "file:x");
});

test("events of one function are listed with their attempts, and at most so many", async (t) => {
  const api = await apiWithEvent(t);
  const { events } = (await api.ask("GET", "/millrace/v1/functions/orders/events")).body;
  assert(Array.isArray(events));
  assert.deepEqual(events, [
    {
      ...{ id: "r-1", kind: "invoke", of: "orders", qualifier: "live", bytes: 40 },
      accepted: "2023-11-14T22:13:20.000Z",
      ...{ ageMs: 60_000, isHeld: false, dueInMs: 30_000, receiveCount: 2 },
      attempts: { runs: 2, functionErrors: 2, throttles: 0, deliveryFailures: 0 },
      route: "schedule default/nightly",
      last: LAST,
    },
  ]);
  assert.equal((await api.ask("GET", "/millrace/v1/functions/orders/events?max=0")).status, 400);
  assert.deepEqual((await api.ask("GET", "/millrace/v1/functions/other/events")).body["events"], []);
});

test("an event is shown with its payload and the last answer, and who looked stands in the log", async (t) => {
  const api = await apiWithEvent(t);
  const { body } = await api.ask("GET", "/millrace/v1/events/r-1");
  assert.deepEqual([body["payload"], body["answer"]], ['{"order":7}', '{"errorMessage":"no price"}']);
  assert.equal((await api.ask("GET", "/millrace/v1/events/gone")).status, 404);
  assert(api.lines.some(({ fields }) => fields["action"] === "ShowEvent" && fields["event"] === "r-1"));
});

test("schedules and routes are listed with their reasons", async (t) => {
  const api = await apiWithEvent(t);
  await api.ask("POST", "/schedules/tick", {
    ScheduleExpression: "rate(1 minute)",
    FlexibleTimeWindow: { Mode: "OFF" },
    State: "DISABLED",
    Target: {
      Arn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
      RoleArn: "arn:aws:iam::123456789012:role/r",
    },
  });
  const { schedules } = (await api.ask("GET", "/millrace/v1/schedules")).body;
  assert(Array.isArray(schedules));
  assert.deepEqual(
    schedules.map(({ name, missed, reasons }) => [name, missed, reasons[0].code, reasons[0].runbook]),
    [["default/tick", 0, "scheduleOff", "docs/runbook.md#scheduleoff"]],
  );
  const explained = (await api.ask("GET", "/millrace/v1/mappings/tick/explain")).body;
  assert.match(String(explained["text"]), /schedule default\/tick: DISABLED/);
  assert.equal((await api.ask("GET", "/millrace/v1/mappings/nobody/explain")).status, 404);
});
