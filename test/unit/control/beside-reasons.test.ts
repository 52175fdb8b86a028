import assert from "node:assert/strict";
import { test } from "node:test";
import { type EventsSeen, eventLines, toldEvents } from "../../../src/control/beside/told-events.ts";
import { toldRoute } from "../../../src/control/beside/told-routes.ts";
import { toldRule, toldSchedule } from "../../../src/control/beside/told-schedules.ts";
import { routeViews } from "../../../src/control/routes/route-views.ts";
import { MissedTicksBook } from "../../../src/control/schedules/missed-ticks.ts";
import type { WholeView } from "../../../src/control/whole-view.ts";
import type { FunctionResource } from "../../../src/manifests/resources.ts";
import { routeResource } from "../../../src/manifests/route-resource.ts";
import { routeSpec } from "../../../src/manifests/route-schema.ts";
import { ruleSpec, scheduleSpec } from "../../../src/manifests/schedule-schema.ts";
import { type AttemptState, newAttemptState } from "../../../src/model/async-item.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";
import type { ListedAsyncItem } from "../../../src/ports/async-queue.ts";
import { ControlWorld } from "./control-world.ts";

const WHOLE: WholeView = { nowMs: 1_000_000, processes: [], problem: undefined };
const STANDING = { items: 1, bytes: 10, oldestMs: 60_000, held: 0, room: 3 };
const ORDERS = functionOf();

function functionOf(more: Partial<FunctionResource> = {}): FunctionResource {
  return {
    name: "orders",
    target: { kind: "http", url: "http://127.0.0.1/" } as FunctionResource["target"],
    versions: new Map(),
    aliases: new Map(),
    timeoutMs: 3_000,
    concurrency: 10,
    isReserved: false,
    isConcurrencyAdaptive: false,
    errorDetails: "full",
    ...more,
  };
}

function itemOf(state: Partial<AttemptState>, more: Partial<ListedAsyncItem> = {}): ListedAsyncItem {
  return {
    ...{ id: "a", kind: "invoke", lane: "f:orders", qualifier: "", bytes: 10 },
    state: { ...newAttemptState(1), ...state },
    ...{ ageMs: 60_000, isHeld: false, dueInMs: 30_000, receiveCount: 1 },
    ...more,
  };
}

function told(seen: Partial<EventsSeen>) {
  return toldEvents(
    {
      ...{ name: "orders", resource: ORDERS, standing: STANDING, items: [], deliveries: [] },
      ...{ isFull: false, mayInspect: true, ...seen },
    },
    WHOLE,
  );
}

function codesOf({ reasons }: { readonly reasons: readonly { readonly code: string }[] }): readonly string[] {
  return reasons.map(({ code }) => code);
}

test("events of a function say what is in their way: that nothing may start, or that nobody declares it", () => {
  const shut = told({ resource: functionOf({ isReserved: true, concurrency: 0 }) });
  assert.deepEqual(codesOf(shut), ["eventsShut"]);
  assert.match(shut.reasons[0]?.says ?? "", /given up \(ZeroReservedConcurrency\); 1 event waits/);
  assert.deepEqual(codesOf(told({ resource: undefined })), ["noSuchFunction"]);
  assert.deepEqual(codesOf(told({ standing: { ...STANDING, items: 0 } })), [], "nothing waits");
});

test("events that failed wait for their next try, with what the function said for who may see it", () => {
  const last = { statusCode: 200, message: "no price" };
  const items = [itemOf({ functionErrors: 2, last })];
  const shown = told({ items });
  assert.deepEqual([codesOf(shown), shown.retried, shown.attempts], [["eventsFail"], 1, 2]);
  assert.match(shown.reasons[0]?.says ?? "", /no price/);
  const hidden = told({ items, mayInspect: false });
  assert.doesNotMatch(JSON.stringify(hidden), /no price/);
});

test("events that found no place say so apart from those that failed", () => {
  const last = { statusCode: 429, message: "Rate Exceeded." };
  assert.deepEqual(codesOf(told({ items: [itemOf({ throttles: 3, last })] })), ["eventsHeldBack"]);
});

test("events that are due and do not run wait for the function's places", () => {
  const late = itemOf({}, { dueInMs: 0 });
  assert.deepEqual(codesOf(told({ items: [late] })), ["eventsWait"]);
  assert.deepEqual(codesOf(told({ items: [{ ...late, isHeld: true }] })), [], "it runs");
  assert.deepEqual(codesOf(told({ items: [{ ...late, ageMs: 100 }] })), [], "it has just come");
});

test("a full queue says that callers are refused", () => {
  assert.deepEqual(codesOf(told({ isFull: true })), ["eventsFull"]);
});

test("what became of events waits for its destination, told with the function that names it", () => {
  const destination = "arn:aws:sqs:eu-west-1:000000000000:gone";
  const delivery = { destination, items: 4, bytes: 10, oldestMs: 1_000, problem: "no such queue" };
  const other = { ...delivery, destination: "file:other.jsonl" };
  const resource = functionOf({ invokeConfigs: new Map([["$LATEST", { onFailure: destination }]]) });
  const events = told({ resource, standing: { ...STANDING, items: 0 }, deliveries: [delivery, other] });
  assert.deepEqual(codesOf(events), ["deliveryWaits"]);
  assert.match(
    events.reasons[0]?.says ?? "",
    /^4 records of .*:gone, which does not take them: no such queue$/,
  );
  assert.match(eventLines(events).join("\n"), /4 records wait for arn:aws:sqs.*:gone/);
  const deadLetters = functionOf({ deadLetters: new Map([["$LATEST", destination]]) });
  assert.deepEqual(codesOf(told({ resource: deadLetters, deliveries: [delivery] })), ["deliveryWaits"]);
  const young = { destination, items: 1, bytes: 1, oldestMs: 100 };
  assert.deepEqual(codesOf(told({ resource, deliveries: [young] })), [], "it is on its way");
});

const NO_MISSED = { functions: [ORDERS], missed: () => undefined };

function scheduleOf(more: object, nextTicks: readonly number[] = [5_000]) {
  const given = { scheduleExpression: "rate(1 minute)", target: { arn: "orders" }, ...more };
  const schedule = { name: "nightly", spec: scheduleSpec.parse(given) };
  return { schedule, createdMs: 0, lastModifiedMs: 0, nextTicks };
}

test("a schedule says that it is off, over, without its function, or was not served in time", () => {
  assert.deepEqual(codesOf(toldSchedule(scheduleOf({}), NO_MISSED)), []);
  assert.deepEqual(codesOf(toldSchedule(scheduleOf({ state: "DISABLED" }, []), NO_MISSED)), ["scheduleOff"]);
  assert.deepEqual(codesOf(toldSchedule(scheduleOf({}, []), NO_MISSED)), ["scheduleOver"]);
  const gone = toldSchedule(scheduleOf({ target: { arn: "gone:live" } }), NO_MISSED);
  assert.deepEqual(codesOf(gone), ["noSuchFunction"]);
  assert.match(gone.reasons[0]?.says ?? "", /gone:live/);
  const missed = (name: string) => (name === "default/nightly" ? { ticks: 3, lastMs: 1 } : undefined);
  const late = toldSchedule(scheduleOf({}), { functions: [ORDERS], missed });
  assert.deepEqual(
    [codesOf(late), late.missed, late.nextTicks],
    [["ticksMissed"], 3, ["1970-01-01T00:00:05.000Z"]],
  );
});

test("a rule says which of its targets are not there", () => {
  const spec = ruleSpec.parse({
    eventPattern: { source: ["shop"] },
    targets: [
      { id: "1", arn: "orders" },
      { id: "2", arn: "gone" },
    ],
  });
  const rule = toldRule({ rule: { name: "large", spec }, nextTicks: [] }, NO_MISSED);
  assert.deepEqual(
    [codesOf(rule), rule.expression, rule.name],
    [["noSuchFunction"], undefined, "default/large"],
  );
});

test("ticks that were missed are told for a day, and metrics hear of each", () => {
  let nowMs = 0;
  const counted: number[] = [];
  const inner = {
    ticked: () => undefined,
    missed: (_name: string, ticks: number) => void counted.push(ticks),
  };
  const book = new MissedTicksBook(inner, { now: () => nowMs });
  book.missed("default/nightly", 2);
  book.missed("default/nightly", 3);
  assert.deepEqual([book.of("default/nightly"), counted], [{ ticks: 5, lastMs: 0 }, [2, 3]]);
  nowMs = 25 * 3_600_000;
  assert.equal(book.of("default/nightly"), undefined);
});

test("a route says that its function is not there, may not start, or that nobody listens", () => {
  const route = routeResource(
    "pets",
    routeSpec.parse({ functionName: "orders:live", shape: "http2", path: "/pets" }),
  );
  assert(route !== undefined);
  const codes = (functions: readonly FunctionResource[], isServed: boolean) => {
    const [view] = routeViews([route], functions, DEFAULT_PLACE, undefined);
    assert(view !== undefined);
    return codesOf(toldRoute(view, route, functions, isServed));
  };
  assert.deepEqual(codes([ORDERS], true), [], "without versions and aliases any is only shown");
  assert.deepEqual(codes([ORDERS], false), ["frontOff"]);
  assert.deepEqual(codes([], true), ["noSuchFunction"]);
  const versioned = functionOf({ versions: new Map([["1", ORDERS.target]]) });
  assert.deepEqual(codes([versioned], true), ["noSuchFunction"]);
  const shut = functionOf({ isReserved: true, concurrency: 0 });
  assert.deepEqual(codes([shut], true), ["zeroConcurrency"]);
});

test("explain without a name tells of events, and by a function's name of its own", async () => {
  const world = new ControlWorld();
  world.eventsBook = {
    ...world.eventsBook,
    backlog: [{ lane: "f:orders", items: 1, bytes: 10, oldestMs: 60_000 }],
    standingOf: (name) => (name === "orders" ? STANDING : { ...STANDING, items: 0 }),
    list: async () => [itemOf({ functionErrors: 1 })],
  };
  const { plane } = await world.start("p1");
  const all = await plane.explainAll({ inspect: true });
  assert.deepEqual(
    all.others.map(({ kind, name, reasons }) => [kind, name, ...reasons.map(({ code }) => code)]),
    [["events", "orders", "eventsFail"]],
  );
  assert.match(
    all.text.join("\n"),
    /function orders: events: 1 in the queue.*\n.*because {2}1 event failed/s,
  );
  const explained = await plane.toldFunctions.explain("orders", true);
  assert.deepEqual(
    explained?.events?.reasons.map(({ code }) => code),
    ["eventsFail"],
  );
  assert.match(explained?.text.join("\n") ?? "", /docs\/runbook\.md#eventsfail/);
});

test("explain without a name says that nothing is wrong where there is nothing", async () => {
  const { plane } = await new ControlWorld().start("p1");
  const { mappings, others, text } = await plane.explainAll();
  assert.deepEqual([mappings, others], [[], []]);
  assert.match(text.join(), /nothing else is in anybody's way/);
});
