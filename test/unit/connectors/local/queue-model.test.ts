import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { QueueMessage } from "../../../../src/ports/queue-source.ts";
import { bodiesOf, openedQueueFile, receive } from "./queue-fixture.ts";

const GROUPS = ["a", "b", "c"];
const HOLD_MS = 1_000;

type Step =
  | { readonly kind: "send"; readonly group: number }
  | { readonly kind: "receive"; readonly messagesMax: number }
  | { readonly kind: "settle"; readonly how: "acknowledge" | "release"; readonly choice: number }
  | { readonly kind: "pass"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("send" as const), group: fc.nat(GROUPS.length - 1) }),
  fc.record({ kind: fc.constant("receive" as const), messagesMax: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant("settle" as const),
    how: fc.constantFrom("acknowledge" as const, "release" as const),
    choice: fc.nat(20),
  }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: -5_000, max: 1_500 }) }),
);

test("whatever happens to a FIFO queue: none is lost, groups stay in order, no group is given twice at once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      await using place = openedQueueFile();
      place.file.createQueue({ name: "dead.fifo" });
      const redrive = { deadLetterQueue: "dead.fifo", maxReceiveCount: 3 };
      const queue = place.file.createQueue({ name: "orders.fifo", redrive });
      const source = place.source("orders.fifo");
      const left = new Map<string, string[]>(GROUPS.map((group) => [group, []]));
      const sent: string[] = [];
      const done: string[] = [];
      /** Deliveries that were not settled, and when their holds end by a clock that is never set back. */
      let open: { message: QueueMessage; body: string; untilMs: number }[] = [];
      let elapsedMs = 0;
      const run = async (each: Step) => {
        if (each.kind === "send") {
          const groupId = GROUPS[each.group] ?? "";
          const body = `${groupId}-${sent.length}`;
          sent.push(body);
          left.get(groupId)?.push(body);
          queue.send([{ body, groupId }]);
        } else if (each.kind === "receive") {
          const messages = await receive(source, each.messagesMax, HOLD_MS);
          assert.ok(messages.length <= each.messagesMax);
          const held = open.filter(({ untilMs }) => untilMs > elapsedMs);
          for (const { message } of held) {
            assert.ok(
              !messages.some(({ groupId }) => groupId === message.groupId),
              "a group was given twice",
            );
          }
          const bodies = bodiesOf(source, messages);
          const dead = new Set(
            place.file
              .openQueue("dead.fifo")
              .peek(1_000)
              .map(({ body }) => body),
          );
          for (const [group, waiting] of left) {
            left.set(
              group,
              waiting.filter((body) => !dead.has(body)),
            );
            const given = bodies.filter((body) => body.startsWith(group));
            assert.deepEqual(given, left.get(group)?.slice(0, given.length));
          }
          for (const [index, message] of messages.entries()) {
            open.push({ message, body: bodies[index] ?? "", untilMs: elapsedMs + HOLD_MS });
          }
        } else if (each.kind === "settle") {
          const chosen = open[each.choice % Math.max(1, open.length)];
          if (chosen === undefined) return;
          open = open.filter((one) => one !== chosen);
          const [settlement] =
            each.how === "acknowledge"
              ? await source.acknowledge([chosen.message])
              : await source.release([chosen.message], 0);
          assert.equal(settlement, chosen.untilMs > elapsedMs ? "settled" : "lost");
          if (settlement === "settled" && each.how === "acknowledge") {
            done.push(chosen.body);
            const group = chosen.message.groupId ?? "";
            left.set(
              group,
              (left.get(group) ?? []).filter((body) => body !== chosen.body),
            );
          }
        } else {
          place.clock.ms += each.ms;
          elapsedMs += Math.max(0, each.ms);
          // The file learns of each step of the clock, as it does from the receives of a running engine.
          await source.extend([], 0);
        }
      };
      for (const each of steps) await run(each);
      const dead = place.file.openQueue("dead.fifo");
      const waiting = [...queue.peek(1_000), ...dead.peek(1_000)].map(({ body }) => body);
      assert.deepEqual([...waiting, ...done].toSorted(), sent.toSorted());
    }),
    { numRuns: 60 },
  );
});
