import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeldMessage } from "../../../../src/engine/queue/held-message.ts";
import { TenantBuffer } from "../../../../src/engine/queue/tenant-buffer.ts";
import type { TenantSettings } from "../../../../src/model/tenant-settings.ts";
import type { Clock } from "../../../../src/ports/clock.ts";
import type { QueueEvents } from "../../../../src/ports/queue-source.ts";
import type { Telemetry } from "../../../../src/ports/telemetry.ts";

interface Options extends Partial<TenantSettings> {
  readonly batchSize?: number;
  readonly payloadBytesMax?: number;
}

/** Messages are named `TENANT-ORDINAL`. */
function fair({ batchSize = 1, payloadBytesMax = 1_000_000, ...tenant }: Options = {}) {
  let ordinal = 0;
  let nowMs = 0;
  const dwells: string[] = [];
  const gauges: number[] = [];
  const telemetry = {
    observe: (name: string, _mapping: string, seconds: number) => dwells.push(`${name} ${seconds}`),
    gauge: (_name: string, _mapping: string, value: number) => gauges.push(value),
  } as unknown as Telemetry;
  const buffer = new TenantBuffer({
    tenant: { by: "/body/tenant", weights: {}, batchPerTenant: false, ...tenant },
    batchSize,
    payloadBytesMax,
    envelopeBytes: 14,
    mapping: "jobs",
    events: {
      filterDocument: ({ messageId }: { messageId: string }) => ({
        document: { body: { tenant: messageId.split("-")[0] } },
        isDataJson: true,
      }),
    } as unknown as QueueEvents,
    clock: { monotonic: () => nowMs } as Clock,
    telemetry,
  });
  const add = (tenant: string, count: number) => {
    for (let index = 0; index < count; index++) buffer.add(held(`${tenant}-${++ordinal}`, nowMs));
  };
  return { buffer, add, dwells, gauges, pass: (ms: number) => (nowMs += ms) };
}

function held(messageId: string, receivedMs: number): HeldMessage {
  const message = { messageId, groupId: undefined, receiveCount: 1, bytes: 1, encodedBytes: 10 };
  const hold = { holdUntilMs: 1_000, spanMs: 1_000, isLost: false, together: undefined, isSettled: false };
  return { message, receivedMs, ...hold };
}

function tenantsOf(batch: readonly HeldMessage[]): string {
  return batch.map(({ message }) => message.messageId.split("-")[0]).join("");
}

/** Runs one batch after the other; `tookMs` by tenant of the first. */
function run(buffer: TenantBuffer, batches: number, tookMs: (tenants: string) => number): string {
  let order = "";
  for (let count = 0; count < batches; count++) {
    const batch = buffer.take();
    const tenants = tenantsOf(batch);
    order += tenants;
    buffer.ended(batch, tookMs(tenants));
  }
  return order;
}

test("who comes behind a flood goes in turn with it", () => {
  const { buffer, add } = fair();
  add("a", 100);
  add("b", 3);
  assert.equal(
    run(buffer, 8, () => 10),
    "abababaa",
  );
});

test("time is dealt out, not messages: a slow tenant has fewer", () => {
  const { buffer, add } = fair();
  add("a", 100);
  add("b", 100);
  const order = run(buffer, 60, (tenants) => (tenants === "a" ? 90 : 10));
  assert.equal(order.replaceAll("b", "").length, 6);
});

test("a weight is so many times the time of one without", () => {
  const { buffer, add } = fair({ weights: { a: 4 } });
  add("a", 100);
  add("b", 100);
  const order = run(buffer, 50, () => 10);
  assert.equal(order.replaceAll("b", "").length, 40);
});

test("idle time is not saved up", () => {
  const { buffer, add } = fair();
  add("a", 100);
  add("b", 1);
  run(buffer, 60, () => 10);
  add("b", 30);
  const order = run(buffer, 20, () => 10);
  assert.equal(order.replaceAll("b", "").length, 10);
});

test("what was guessed too low is paid for when a batch has ended", () => {
  const { buffer, add } = fair();
  add("a", 20);
  add("b", 20);
  const first = buffer.take();
  buffer.ended(first, 1_000);
  assert.equal(
    run(buffer, 10, () => 10),
    "bbbbbbbbbb",
  );
});

test("messages without a tenant share a place, and none is left behind", () => {
  const { buffer, add } = fair();
  add("", 3);
  add("a", 3);
  assert.equal(
    run(buffer, 6, () => 10),
    "aaa",
  );
  assert.equal(buffer.size, 0);
});

test("a batch is filled along the tenants, or has one alone where the mapping says so", () => {
  const mixed = fair({ batchSize: 4 });
  mixed.add("a", 6);
  mixed.add("b", 2);
  assert.equal(tenantsOf(mixed.buffer.take()), "abab");
  const apart = fair({ batchSize: 4, batchPerTenant: true });
  apart.add("a", 3);
  apart.add("b", 2);
  assert.equal(apart.buffer.isFull, false);
  apart.add("a", 1);
  assert.equal(apart.buffer.isFull, true);
  const turned = fair({ batchSize: 2, batchPerTenant: true });
  turned.add("b", 1);
  turned.add("a", 2);
  assert.equal(turned.buffer.isFull, false, "it is b's turn, which waits for its window");
  assert.deepEqual([tenantsOf(apart.buffer.take()), tenantsOf(apart.buffer.take())], ["aaaa", "bb"]);
});

test("a batch holds the limit of bytes exactly", () => {
  const { buffer, add } = fair({ batchSize: 10, payloadBytesMax: 14 + 10 + 11 });
  add("a", 3);
  assert.deepEqual([buffer.take().length, buffer.take().length], [2, 1]);
});

test("a flood counts against the room for its share of half of it, up to ten rooms", () => {
  const { buffer, add } = fair({ batchSize: 10 });
  add("a", 40);
  assert.equal(buffer.sizeWithin(50), 25);
  add("b", 5);
  assert.equal(buffer.sizeWithin(50), 12 + 5);
  add("a", 460);
  assert.equal(buffer.sizeWithin(50), 505);
});

test("the time in our hands is told apart by who has more than a share, and no tenant is named", () => {
  const { buffer, add, dwells, gauges, pass } = fair({ batchSize: 2 });
  add("a", 9);
  add("b", 1);
  pass(500);
  buffer.take();
  assert.deepEqual(dwells, ["noisy_tenant_dwell_seconds 0.5", "quiet_tenant_dwell_seconds 0.5"]);
  assert.deepEqual([Math.max(...gauges), gauges.at(-1)], [2, 1]);
});

test("more tenants than are told apart share a place with those that name none, and all are served", () => {
  const { buffer, add } = fair();
  for (let tenant = 0; tenant < 3_000; tenant++) add(`t${tenant}`, 1);
  assert.ok(buffer.explainTenants(10).active <= 1_025);
  run(buffer, 3_000, () => 1);
  assert.equal(buffer.size, 0);
  assert.deepEqual(buffer.explainTenants(10), { active: 0, most: [] });
});

test("what leaves without a batch is counted no more", () => {
  const { buffer, add } = fair();
  add("a", 2);
  add("b", 1);
  buffer.remove(buffer.messages.slice(0, 2));
  assert.deepEqual([buffer.size, tenantsOf(buffer.take()), buffer.size], [1, "b", 0]);
});
