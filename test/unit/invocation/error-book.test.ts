import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorBook, type FailedCall, type NotedError } from "../../../src/invocation/error-book.ts";
import type { OutcomeOfRun } from "../../../src/model/outcome.ts";

let nowMs = 1_000;
const clock = { now: () => nowMs };
const redact = (text: string) => text.replaceAll("canary", "[redacted]");

const CALL: FailedCall = {
  function: "price",
  errorDetails: "full",
  timeoutMs: 3_000,
  caller: { kind: "mapping", key: "orders", shardId: "shard-1" },
  requestId: "request-1",
  sample: { shardId: "shard-1", position: "17" },
};

const STACK = [
  "TypeError: no price for order 1",
  "    at price (file:///srv/shop/orders.ts:14:9)",
  "    at handler (file:///srv/shop/orders.ts:3:1)",
].join("\n");

function thrown(message: string, stack = STACK): Extract<OutcomeOfRun, { kind: "functionError" }> {
  return { kind: "functionError", errorType: "TypeError", message, detail: { stack, logTail: "canary\n" } };
}

const DIGITS = "abcdefghijklmnopqrstuvwxyz";

function book(details: "full" | "type" = "full"): ErrorBook {
  return new ErrorBook({ clock, redact, details });
}

test("keeps of what was printed the function's own lines, and the caller gets all of them", () => {
  const errors = book();
  const around = ["START RequestId: r-1 Version: $LATEST", "looking\tfor it", "END RequestId: r-1"];
  const logTail = [...around, "REPORT RequestId: r-1\tDuration: 3.98 ms", ""].join("\n");
  const failed = { ...thrown("no price"), detail: { stack: STACK, logTail } };
  const outcome = errors.note(CALL, failed);
  assert.equal(errors.of("orders").errors[0]?.logTail, "looking\tfor it\n");
  assert.equal("detail" in outcome ? outcome.detail?.logTail : undefined, logTail);
  errors.note(CALL, {
    ...failed,
    detail: { stack: STACK, logTail: logTail.replace("looking\tfor it\n", "") },
  });
  assert.equal(errors.of("orders").errors[0]?.logTail, "", "this time it has printed nothing");
});

test("keeps an error once, with its count, its times and the texts of its last time", () => {
  const errors = book();
  nowMs = 1_000;
  errors.note(CALL, thrown("no price for order 1"));
  nowMs = 5_000;
  const second = { ...CALL, requestId: "request-2" };
  const outcome = errors.note(second, { ...thrown("no price for order 22"), executedVersion: "3" });
  const { errors: kept, leftOut } = errors.of("orders");
  const [entry] = kept;
  assert.equal(kept.length, 1);
  assert.equal(leftOut, 0);
  assert.match(entry?.id ?? "", /^[0-9a-f]{4}$/);
  assert.equal(outcome.errorId, entry?.id);
  assert.deepEqual(entry, {
    id: entry?.id,
    function: "price",
    errorType: "TypeError",
    message: "no price for order 22",
    stack: STACK,
    logTail: "[redacted]\n",
    count: 2,
    firstSeenMs: 1_000,
    lastSeenMs: 5_000,
    lastRequestId: "request-2",
    sample: { shardId: "shard-1", position: "17" },
    version: "3",
  });
});

test("gives nothing out of the door that was not redacted", () => {
  const outcome = book().note(CALL, {
    kind: "functionError",
    errorType: "canaryError",
    message: "a canary",
    detail: { stack: "at canary", logTail: "canary", stackMember: "trace" },
  });
  assert.doesNotMatch(JSON.stringify(outcome), /canary/);
  assert.deepEqual(outcome.detail, { stack: "at [redacted]", logTail: "[redacted]", stackMember: "trace" });
});

test("tells apart what differs in type, place or words, and not what differs in numbers, ids and quotes", () => {
  const errors = book();
  const idOf = (message: string, stack = STACK, fn = "price") =>
    errors.note({ ...CALL, function: fn }, thrown(message, stack)).errorId;
  const id = idOf("no price for order 1");
  assert.equal(idOf("no price for order 4711"), id);
  const uuid = "2f1c7c2e-7c0b-4c55-9d0a-1f0a3c2b1d4e";
  assert.equal(
    idOf(`order ${uuid} 'a' is 0x1f`),
    idOf(`order ${uuid.replace("2f1c", "aaaa")} "bcd" is 0x2e`),
  );
  assert.notEqual(idOf("no stock of order 1"), id);
  assert.notEqual(idOf("no price for order 1", STACK.replace("orders.ts:14", "orders.ts:15")), id);
  assert.notEqual(idOf("no price for order 1", STACK, "stock"), id);
});

test("takes an error for the same wherever the code stands, and whatever its dependencies did", () => {
  const errors = book();
  const elsewhere = STACK.replaceAll("file:///srv/shop/", "/app/").replaceAll(".ts:", ".ts?v=2:");
  const through = STACK.replace("\n", "\n    at lib (file:///srv/node_modules/lib/index.js:1:1)\n");
  const id = errors.note(CALL, thrown("no price for order 1")).errorId;
  assert.equal(errors.note(CALL, thrown("no price for order 1", elsewhere)).errorId, id);
  assert.equal(errors.note(CALL, thrown("no price for order 1", through)).errorId, id);
});

test("looks at the last frames of Python, which writes the call that failed last", () => {
  const errors = book();
  const python = (line: number) =>
    ['  File "/var/runtime/a.py", line 1, in b', `  File "/var/task/app.py", line ${line}, in handler`].join(
      "\n",
    );
  const id = errors.note(CALL, thrown("no", python(3))).errorId;
  assert.notEqual(errors.note(CALL, thrown("no", python(4))).errorId, id);
});

test("says of a function that times out what Lambda says", () => {
  const errors = book();
  const outcome = errors.note(CALL, { kind: "timedOut", detail: { logTail: "step 2\n" } });
  assert.equal(outcome.kind, "timedOut");
  const [entry] = errors.of("orders").errors;
  assert.equal(entry?.errorType, "Sandbox.Timedout");
  assert.equal(entry?.message, "Task timed out after 3.00 seconds");
  assert.equal(entry?.logTail, "step 2\n");
  assert.equal(outcome.errorId, entry?.id);
});

test("keeps what was printed when a later failure does not bring it", () => {
  const errors = book();
  errors.note(CALL, thrown("no price"));
  errors.note(CALL, { ...thrown("no price"), detail: { stack: STACK } });
  assert.equal(errors.of("orders").errors[0]?.logTail, "[redacted]\n");
});

test("keeps the errors of direct calls by their function", () => {
  const errors = book();
  errors.note({ ...CALL, caller: { kind: "api", key: "(Invoke)" } }, thrown("no price"));
  assert.equal(errors.of("orders").errors.length, 0);
  assert.equal(errors.ofFunction("price").errors.length, 1);
});

for (const [where, details, errorDetails] of [
  ["the process", "type", "full"],
  ["the function", "full", "type"],
] as const) {
  test(`keeps and hands on the type alone where ${where} says so`, () => {
    const errors = book(details);
    const failure = { ...thrown("no price for anna@example.com"), errorType: "PriceError: anna@example.com" };
    const outcome = errors.note({ ...CALL, errorDetails }, failure);
    const all = JSON.stringify([outcome, errors.of("orders")]);
    assert.doesNotMatch(all, /anna|orders\.ts|canary/);
    assert.equal(outcome.kind === "functionError" && outcome.errorType, "PriceError");
    assert.match(outcome.errorId ?? "", /^[0-9a-f]{4}$/);
    assert.equal(errors.logTailOf(errorDetails, { logTail: "anna" }), undefined);
  });
}

test("keeps twenty errors of a mapping, drops the one seen longest ago, and counts what it dropped", () => {
  const errors = book();
  const word = (index: number) => String.fromCharCode(97 + index).repeat(3);
  for (let index = 0; index < 20; index++) errors.note(CALL, thrown(word(index)));
  errors.note(CALL, thrown(word(0)));
  errors.note(CALL, thrown(word(20)));
  const { errors: kept, leftOut } = errors.of("orders");
  assert.equal(kept.length, 20);
  assert.equal(leftOut, 1);
  assert.deepEqual([kept[0]?.message, kept[1]?.message], [word(20), word(0)]);
  assert.ok(!kept.some(({ message }) => message === word(1)));
});

test("cuts texts to their bounds in bytes, the output at its beginning", () => {
  const errors = book();
  errors.note(CALL, {
    kind: "functionError",
    errorType: "T".repeat(1_000),
    message: "ä".repeat(5_000),
    detail: { stack: "s".repeat(50_000), logTail: `${"x".repeat(10_000)}end` },
  });
  const [entry] = errors.of("orders").errors;
  assert.equal(entry?.errorType.length, 256);
  assert.equal(Buffer.byteLength(entry?.message ?? ""), 2_048);
  assert.equal(Buffer.byteLength(entry?.stack ?? ""), 4_096);
  assert.equal(Buffer.byteLength(entry?.logTail ?? ""), 4_096);
  assert.match(entry?.logTail ?? "", /xend$/);
});

test("keeps no more than 16 MiB over all mappings", () => {
  const errors = book();
  const long = "x".repeat(4_000);
  for (let mapping = 0; mapping < 100; mapping++) {
    for (let index = 0; index < 20; index++) {
      const failure = {
        ...thrown(String.fromCharCode(97 + index)),
        detail: { stack: long, logTail: long },
      };
      errors.note({ ...CALL, caller: { kind: "mapping", key: `mapping-${mapping}` } }, failure);
    }
  }
  let chars = 0;
  for (let mapping = 0; mapping < 100; mapping++) {
    for (const { message = "", stack = "", logTail = "" } of errors.of(`mapping-${mapping}`).errors)
      chars += message.length + stack.length + logTail.length;
  }
  assert.ok(2 * chars <= 16 * 1024 * 1024, `${chars}`);
  assert.equal(errors.of("mapping-99").errors.length, 20);
  assert.equal(errors.of("mapping-0").errors.length, 0);
});

test("keeps as much of a hundred thousand different errors as of twenty", () => {
  const errors = book();
  const letters = (index: number) =>
    [...index.toString(26)].map((digit) => DIGITS[Number.parseInt(digit, 26)]).join("");
  for (let index = 0; index < 100_000; index++) errors.note(CALL, thrown(letters(index)));
  const { errors: kept, leftOut } = errors.of("orders");
  assert.equal(kept.length, 20);
  assert.equal(leftOut, 99_980);
  assert.equal(kept[0]?.message, letters(99_999));
});

test("tells its listeners of each failure, and which is the first of its kind", () => {
  const errors = book();
  const noted: NotedError[] = [];
  errors.listen((each) => void noted.push(each));
  errors.note(CALL, thrown("no price for order 1"));
  errors.note(CALL, thrown("no price for order 2"));
  assert.deepEqual(
    noted.map(({ mapping, isNew, entry }) => [mapping, isNew, entry.count]),
    [
      ["orders", true, 1],
      ["orders", false, 2],
    ],
  );
});
