import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteBudget } from "../../../../src/engine/budget.ts";
import { HoldKeeper } from "../../../../src/engine/queue/hold-keeper.ts";
import { MessageBuffer } from "../../../../src/engine/queue/message-buffer.ts";
import { MessageLedger } from "../../../../src/engine/queue/message-ledger.ts";
import { RepeatedLines } from "../../../../src/lib/repeated-lines.ts";
import { ManualClock, SILENT_TELEMETRY } from "../stream/small-world.ts";
import { MemoryQueue } from "./memory-queue.ts";

const HOLD = { askedMs: 0, holdMs: 30_000 };
const MESSAGE = {
  messageId: "m1",
  groupId: undefined,
  receiveCount: 1,
  sentMs: 0,
  bytes: 10,
  encodedBytes: 12,
};
const BROKEN = { code: "ERR_MILLRACE_INVARIANT" };

function emptyLedger() {
  const clock = new ManualClock();
  const buffer = new MessageBuffer({ batchSize: 10, payloadBytesMax: 1_000, envelopeBytes: 2 });
  const budget = new ByteBudget(1_000);
  const holds = new HoldKeeper({
    mapping: "jobs",
    source: new MemoryQueue(clock).openSource(),
    clock,
    telemetry: SILENT_TELEMETRY,
    lines: new RepeatedLines(clock, SILENT_TELEMETRY),
    holdMs: () => HOLD.holdMs,
    onLost: () => {},
    onDefect: () => {},
  });
  return { ledger: new MessageLedger({ buffer, holds, budget }), budget, holds, buffer };
}

test("whatever a message has taken is given back when it goes, and once", () => {
  const { ledger, budget, holds, buffer } = emptyLedger();
  const held = ledger.take(MESSAGE, 0, HOLD);
  ledger.wait([held]);
  assert.deepEqual([budget.used, holds.size, buffer.size], [10, 1, 1]);
  ledger.letGo([held]);
  ledger.letGo([held]);
  assert.deepEqual([budget.used, holds.size, buffer.size, ledger.close()], [0, 0, 0, 0]);
});

test("a ledger that is closed says how many messages nobody gave back, and gives them back", () => {
  const { ledger, budget, holds } = emptyLedger();
  ledger.wait([ledger.take(MESSAGE, 0, HOLD)]);
  assert.equal(ledger.close(), 1);
  assert.deepEqual([budget.used, holds.size], [0, 0]);
});

test("a ledger is not closed while something is taken that belongs to no message in hand", () => {
  const bytes = emptyLedger();
  bytes.budget.take(1);
  assert.throws(() => bytes.ledger.close(), BROKEN);
  const hold = emptyLedger();
  const gone = hold.ledger.take(MESSAGE, 0, HOLD);
  hold.ledger.letGo([gone]);
  hold.ledger.wait([gone]);
  assert.throws(() => hold.ledger.close(), BROKEN);
});
