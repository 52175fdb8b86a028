import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { InvocationOutcome } from "../../src/model/outcome.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { isAlive } from "../integration/runtimes/runtime-run.ts";
import { openTarget, type TargetChoice } from "./runtime-target.ts";
import {
  type FunctionCode,
  type RuntimeUnderTest,
  recordedEvents,
  runtimesUnderTest,
} from "./runtimes-under-test.ts";

/** `MILLRACE_RUNTIME_CALLS=1000` makes fewer. */
const CALLS = Number(process.env["MILLRACE_RUNTIME_CALLS"] ?? 10_000);
const AMPLE_MS = 60_000;

type Prove = (t: TestContext, code: FunctionCode, runtime: RuntimeUnderTest) => Promise<void>;

const PROOFS: readonly (readonly [sentence: string, prove: Prove])[] = [
  [`answers its call number ${CALLS} in the process of its first`, staysInOneProcess],
  ["is in two environments at once for two calls at once", isInTwoEnvironments],
  ["goes on after an exit, whose status is told", goesOnAfterExit],
  ["loses its globals by a time-out, and keeps its files", losesGlobals],
  ["goes on after a response that is too large", goesOnAfterTooLarge],
  ["fails by its start, each time anew", failsByItsStart],
  ["streams a response, which is collected", streams],
  ["gives back the events that AWS recorded, as they were", givesBackRecordedEvents],
];

for (const runtime of await runtimesUnderTest()) {
  const { client, code, missing } = runtime;
  describe(`a function by ${client}`, { timeout: 600_000 }, () => {
    if (code === undefined) test("is not built here", { skip: missing });
    else for (const [sentence, prove] of PROOFS) test(sentence, (t) => prove(t, code, runtime));
  });
}

async function staysInOneProcess(t: TestContext, code: FunctionCode): Promise<void> {
  const run = await openRun(t, code);
  const first = await run.tell();
  assert.equal(first.calls, 1);
  for (let made = 2; made < CALLS; made++) {
    const outcome = await run.invoke({ task: "echo", made });
    assert.equal(outcome.kind, "succeeded");
  }
  const last = await run.tell();
  assert.deepEqual([last.pid, last.calls], [first.pid, CALLS]);
}

async function isInTwoEnvironments(t: TestContext, code: FunctionCode): Promise<void> {
  const run = await openRun(t, code, { concurrency: 2 });
  const place = mkdtempSync(join(tmpdir(), "millrace-meeting-"));
  t.after(() => rmSync(place, { recursive: true }));
  const meet = { task: "meet", place };
  const [one, other] = await Promise.all([run.told(meet), run.told(meet)]);
  assert.notEqual(one.pid, other.pid);
  assert.notEqual(one.folder, other.folder);
}

async function goesOnAfterExit(t: TestContext, code: FunctionCode): Promise<void> {
  const run = await openRun(t, code);
  for (const [status, why] of [
    [3, "Runtime exited with error: exit status 3"],
    [0, "Runtime exited without providing a reason"],
  ] as const) {
    const before = await run.tell();
    const outcome = await run.invoke({ task: "exit", status });
    assert.ok(outcome.kind === "functionError", outcome.kind);
    assert.equal(outcome.errorType, "Runtime.ExitError");
    assert.match(outcome.message, new RegExp(`^RequestId: \\S{36} Error: ${why}$`));
    const after = await run.tell();
    assert.equal(after.calls, 1);
    assert.notEqual(after.pid, before.pid);
    assert.equal(isAlive(before.pid), false);
  }
}

async function losesGlobals(t: TestContext, code: FunctionCode): Promise<void> {
  const run = await openRun(t, code);
  const before = await run.tell();
  assert.equal(before.marked, false);
  assert.deepEqual(await run.invoke({ task: "mark" }, 4_000), { kind: "timedOut" });
  const after = await run.tell();
  assert.deepEqual([after.marked, after.calls, after.folder], [true, 1, before.folder]);
  assert.notEqual(after.pid, before.pid);
  assert.equal(isAlive(before.pid), false);
}

async function goesOnAfterTooLarge(
  t: TestContext,
  code: FunctionCode,
  { endsWhenTooLarge }: RuntimeUnderTest,
): Promise<void> {
  const run = await openRun(t, code);
  const before = await run.tell();
  const outcome = await run.invoke({ task: "returnBytes", bytes: 7_000_000 });
  assert.ok(outcome.kind === "functionError", outcome.kind);
  assert.equal(outcome.errorType, "Function.ResponseSizeTooLarge");
  const after = await run.tell();
  assert.equal(after.pid === before.pid, !endsWhenTooLarge);
}

async function failsByItsStart(
  t: TestContext,
  code: FunctionCode,
  { startFault: { errorType, message } }: RuntimeUnderTest,
): Promise<void> {
  const run = await openRun(t, code, { environment: { BROKEN: "yes" } });
  for (let attempt = 1; attempt <= 3; attempt++) {
    const outcome = await run.invoke({ task: "tell" });
    assert.ok(outcome.kind === "functionError", JSON.stringify(outcome));
    assert.equal(outcome.errorType, errorType);
    assert.match(outcome.message, message);
  }
}

async function streams(t: TestContext, _code: FunctionCode, { streaming }: RuntimeUnderTest): Promise<void> {
  if (streaming === undefined) {
    t.skip("its client does not stream");
    return;
  }
  const run = await openRun(t, streaming);
  const text = await run.text({ task: "stream", bytes: 600_000 });
  // Rust's client writes the beginning of an HTTP response before it.
  assert.ok(text.endsWith("stream".repeat(100_000)), text.slice(0, 200));
  assert.ok(text.length < 600_300, `${text.length} bytes`);
  const outcome = await run.invoke({ task: "breakStream", bytes: 6 });
  if (outcome.kind !== "succeeded") {
    assert.ok(outcome.kind === "functionError", outcome.kind);
    assert.match(outcome.message, /the stream broke/);
  }
}

async function givesBackRecordedEvents(
  t: TestContext,
  code: FunctionCode,
  { dropsNulls }: RuntimeUnderTest,
): Promise<void> {
  const recorded = recordedEvents();
  if ("missing" in recorded) {
    t.skip(recorded.missing);
    return;
  }
  const run = await openRun(t, code);
  const files = readdirSync(recorded.folder).filter((file) => file.endsWith(".json"));
  assert.ok(files.length > 50, `${files.length} events`);
  const odd: string[] = [];
  for (const file of files) {
    const event = parsed(readFileSync(join(recorded.folder, file), "utf8"));
    if (event === undefined) odd.push(file);
    else assert.deepEqual(await run.told(event), dropsNulls === true ? withoutNulls(event) : event, file);
  }
  // They hold a list, or a slip of the pen.
  assert.ok(odd.length < 5, odd.join());
}

function withoutNulls(event: object): object {
  return JSON.parse(JSON.stringify(event), function (this: object, _name, value: unknown) {
    return value === null && !Array.isArray(this) ? undefined : value;
  });
}

/** `undefined`: it is no object of JSON. */
function parsed(text: string): object | undefined {
  try {
    const event: unknown = JSON.parse(text);
    return typeof event === "object" && event !== null && !Array.isArray(event) ? event : undefined;
  } catch {
    return undefined;
  }
}

interface Told {
  readonly pid: number;
  readonly calls: number;
  readonly folder: string;
  readonly marked: boolean;
}

class Run {
  readonly #target: FunctionTarget;
  readonly #signal = new AbortController().signal;
  #calls = 0;

  constructor(target: FunctionTarget) {
    this.#target = target;
  }

  invoke(event: object, timeoutMs = AMPLE_MS): Promise<InvocationOutcome> {
    this.#calls += 1;
    const context = {
      requestId: `00000000-0000-4000-8000-${String(this.#calls).padStart(12, "0")}`,
      functionName: "runtimes",
      functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:runtimes",
      deadlineMs: Date.now() + timeoutMs,
      timeoutMs,
    };
    return this.#target.invoke(Buffer.from(JSON.stringify(event)), context, this.#signal);
  }

  async text(event: object): Promise<string> {
    const outcome = await this.invoke(event);
    assert.ok(outcome.kind === "succeeded", JSON.stringify(outcome));
    return Buffer.from(outcome.payload).toString();
  }

  async told(event: object): Promise<Told> {
    return JSON.parse(await this.text(event));
  }

  tell(): Promise<Told> {
    return this.told({ task: "tell" });
  }
}

async function openRun(t: TestContext, code: FunctionCode, choice?: TargetChoice): Promise<Run> {
  const target = await openTarget(code, choice);
  t.after(() => target.close());
  return new Run(target);
}
