import assert from "node:assert/strict";
import { test } from "node:test";
import { type HeldMessage, isHeldAt } from "../../../../src/engine/queue/held-message.ts";
import { HoldKeeper } from "../../../../src/engine/queue/hold-keeper.ts";
import { RepeatedLines } from "../../../../src/lib/repeated-lines.ts";
import type { Settlement } from "../../../../src/ports/queue-source.ts";
import { ManualClock, SILENT_TELEMETRY } from "../stream/small-world.ts";
import { MemoryQueue } from "./memory-queue.ts";

const HOLD_MS = 30_000;

async function received(queue: MemoryQueue, ...ids: readonly string[]): Promise<readonly HeldMessage[]> {
  queue.send(...ids);
  const bounds = { messagesMax: ids.length, waitMs: 0, holdMs: HOLD_MS };
  const messages = await queue.openSource().receive(bounds, new AbortController().signal);
  const hold = {
    receivedMs: 0,
    holdUntilMs: HOLD_MS,
    spanMs: HOLD_MS,
    isLost: false,
    together: undefined,
    isSettled: false,
  };
  return messages.map((message) => ({ message, ...hold }));
}

test("a defect behind a hold that is lost is told, and the other holds are kept on", async () => {
  const clock = new ManualClock();
  const queue = new MemoryQueue(clock);
  const held = await received(queue, "a", "b");
  const defects: unknown[] = [];
  const keeper = new HoldKeeper({
    mapping: "jobs",
    source: queue.openSource(),
    holdMs: () => HOLD_MS,
    clock,
    telemetry: SILENT_TELEMETRY,
    lines: new RepeatedLines(clock, SILENT_TELEMETRY),
    onLost: () => {
      throw new Error("a defect");
    },
    onDefect: (error) => defects.push(error),
  });
  keeper.add(held);
  queue.extending = (id) => (id === "a" ? "lost" : "settled");
  await clock.advance(HOLD_MS * 2);
  keeper.close();
  assert.equal(defects.length, 1);
  assert.deepEqual([...new Set(queue.prolonged)], ["a", "b"]);
  assert.ok(queue.prolonged.filter((id) => id === "b").length > 1);
});

test("an extension that takes long holds up no other, and is waited for by its own messages", async () => {
  const clock = new ManualClock();
  const queue = new MemoryQueue(clock);
  const [a, b] = await received(queue, "a", "b");
  assert(a !== undefined && b !== undefined);
  const source = queue.openSource();
  const answer = Promise.withResolvers<readonly Settlement[]>();
  const lost: string[] = [];
  const keeper = new HoldKeeper({
    mapping: "jobs",
    source: {
      ...source,
      extend: (messages, holdMs) =>
        messages.some(({ messageId }) => messageId === "a")
          ? answer.promise
          : source.extend(messages, holdMs),
    },
    holdMs: () => HOLD_MS,
    clock,
    telemetry: SILENT_TELEMETRY,
    lines: new RepeatedLines(clock, SILENT_TELEMETRY),
    onLost: (held) => lost.push(...held.map(({ message }) => message.messageId)),
    onDefect: assert.fail,
  });
  b.holdUntilMs = 1.2 * HOLD_MS;
  keeper.add([a, b]);
  await clock.advance(1.1 * HOLD_MS);
  assert.deepEqual([queue.prolonged, lost], [["b"], []]);
  answer.resolve(["settled"]);
  await clock.advance(HOLD_MS / 10);
  assert.deepEqual([lost, keeper.size, isHeldAt(a, clock.monotonic())], [[], 2, true]);
  keeper.close();
});
