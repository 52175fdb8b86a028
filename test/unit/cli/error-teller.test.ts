import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorTeller } from "../../../src/cli/error-teller.ts";
import { ErrorBook } from "../../../src/invocation/error-book.ts";
import type { LogFields } from "../../../src/ports/telemetry.ts";
import { ManualClock } from "../engine/stream/manual-clock.ts";

function world(isTerminal = true) {
  const clock = new ManualClock();
  const lines: string[] = [];
  const logged: LogFields[] = [];
  const teller = new ErrorTeller({
    lines: isTerminal ? { line: (text) => void lines.push(text.replace(/^\d\d:\d\d:\d\d /, "")) } : undefined,
    clock,
    logText: (_level, message, fields) => void logged.push({ message, ...fields }),
  });
  const book = new ErrorBook({ clock, redact: (text) => text, details: "full" });
  book.listen((noted) => teller.noted(noted));
  const fail = (message: string, fn = "price") =>
    book.note(
      {
        function: fn,
        errorDetails: "full",
        timeoutMs: 3_000,
        caller: { kind: "mapping", key: "orders", shardId: "shard-1" },
        requestId: "request-1",
        sample: { shardId: "shard-1", position: "17" },
      },
      {
        kind: "functionError",
        errorType: "TypeError",
        message,
        detail: { stack: `TypeError: ${message}\n    at price (orders.ts:14:9)`, logTail: "looking\n" },
      },
    ).errorId;
  return { clock, lines, logged, fail };
}

test("tells the first of an error whole, and how often it came every ten seconds as long as it comes", async () => {
  const { clock, lines, fail } = world();
  const id = fail("no price for order 1");
  assert.deepEqual(lines, [
    [
      `error TypeError: no price for order 1 (${id})`,
      "        at price (orders.ts:14:9)",
      "    it printed last:",
      "    | looking",
      "    function price, called by orders at shard-1 17, request request-1",
    ].join("\n"),
  ]);
  fail("no price for order 2");
  fail("no price for order 3");
  await clock.advance(9_999);
  assert.equal(lines.length, 1);
  await clock.advance(1);
  assert.deepEqual(lines.slice(1), [`error TypeError (${id}) of price: 2 more`]);
  await clock.advance(60_000);
  assert.equal(lines.length, 2, "nothing failed since");
  fail("no price for order 4");
  await clock.advance(10_000);
  assert.deepEqual(lines.slice(2), [`error TypeError (${id}) of price: 1 more`]);
});

test("tells the same error of two functions apart", () => {
  const { lines, fail } = world();
  fail("no price", "price");
  fail("no price", "stock");
  assert.equal(lines.length, 2);
});

test("tells ten different errors whole in ten seconds, and of all others how many they were", async () => {
  const { clock, lines, fail } = world();
  for (let index = 0; index < 30; index++) fail("x".repeat(index + 1));
  assert.equal(lines.length, 10);
  await clock.advance(10_000);
  assert.deepEqual(lines.slice(10), ["error other errors: 20 more, see millrace explain"]);
});

test("tells a hundred thousand different errors in no more lines than its rounds have", async () => {
  const { clock, lines, fail } = world();
  const letters = (index: number) =>
    index.toString(26).replaceAll(/\d/g, (digit) => "qrstuvwxyz"[Number(digit)] ?? "");
  for (let index = 0; index < 100_000; index++) {
    fail(letters(index));
    if (index % 1_000 === 999) await clock.advance(10_000);
  }
  // So many errors have ids that are those of others, which are counted with them.
  assert.ok(lines.length <= 100 * 21, `${lines.length}`);
  assert.ok(lines.some((line) => /other errors: \d+ more/.test(line)));
});

test("writes texts into the log where no terminal is, and the first of each error alone", async () => {
  const { clock, lines, logged, fail } = world(false);
  const id = fail("no price for order 1");
  fail("no price for order 2");
  await clock.advance(30_000);
  assert.deepEqual(lines, []);
  assert.deepEqual(logged, [
    {
      message: "a function fails",
      mapping: "orders",
      function: "price",
      shardId: "shard-1",
      requestId: "request-1",
      errorType: "TypeError",
      errorId: id,
      errorText: "no price for order 1",
      stack: "TypeError: no price for order 1\n    at price (orders.ts:14:9)",
    },
  ]);
});
