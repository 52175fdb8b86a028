import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { InvocationOutcome } from "../../src/model/outcome.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { isAlive } from "../integration/runtimes/runtime-run.ts";
import { SeededRandom } from "../simulation/random.ts";
import { openTarget } from "./runtime-target.ts";
import { runtimesUnderTest } from "./runtimes-under-test.ts";

/** `MILLRACE_RUNTIME_FAULTS=500` makes fewer. */
const CALLS = Number(process.env["MILLRACE_RUNTIME_FAULTS"] ?? 10_000);
const SEED = Number(process.env["MILLRACE_RUNTIME_SEED"] ?? 1);
const ENVIRONMENTS = 6;
const CALLERS = 8;
/** Only what hangs comes to its end. */
const [TIMEOUT_MS, HANG_MS] = [60_000, 300];

type Deed = keyof typeof EXPECTED;

/** What its own call is told of each. A start that fails is told to whoever waits. */
const EXPECTED = {
  answer: "succeeded",
  twice: "succeeded",
  foreign: "succeeded",
  garbage: "succeeded",
  late: "succeeded",
  leave: "succeeded",
  break: "succeeded",
  error: "Rude",
  large: "Function.ResponseSizeTooLarge",
  exit: "Runtime.ExitError",
  kill: "Runtime.ExitError",
  orphan: "Runtime.ExitError",
  half: "Runtime.ExitError",
  hang: "timedOut",
} as const;

const FAULTS = Object.keys(EXPECTED).slice(1) as readonly Deed[];
const runtimes = await runtimesUnderTest();
const python = runtimes.find(({ name }) => name === "python");

test(`${CALLS} calls of processes that exit, hang, are killed and answer garbage (I40)`, {
  skip: python?.missing ?? false,
  timeout: 3_600_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-faults-"));
  t.after(() => rmSync(folder, { recursive: true }));
  // Environments have their folders here.
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const before = { TMPDIR: process.env["TMPDIR"], resources: resources() };
  process.env["TMPDIR"] = temporary;
  const notes = join(folder, "notes");
  writeFileSync(notes, "");
  const target = await openTarget(
    {
      runtime: "provided.al2023",
      handler: "bootstrap",
      command: undefined,
      codeFolder: join(import.meta.dirname, "clients/rude"),
    },
    { concurrency: ENVIRONMENTS, environment: { NOTES: notes } },
  );
  const storm = new Storm(target);
  try {
    await storm.run();
  } finally {
    await target.close();
  }
  if (before.TMPDIR === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = before.TMPDIR;

  t.diagnostic(JSON.stringify(Object.fromEntries(storm.counts)));
  const lines = readFileSync(notes, "utf8").trim().split("\n");
  const numbersOf = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.slice(word.length + 1)));
  const runs = numbersOf("run");
  assert.equal(new Set(runs).size, runs.length, "a call ran twice");
  // One start that fails is told to all who wait.
  assert.ok(storm.broken <= storm.breaks * CALLERS, `${storm.broken} calls, ${storm.breaks} broken starts`);
  const isOurs = (pid: number) => isAlive(pid) && hasVariable(pid, `NOTES=${notes}`);
  assert.deepEqual(numbersOf("pid").filter(isOurs), [], "processes are left");
  assert.deepEqual(readdirSync(temporary), [], "folders are left");
  assert.deepEqual(resources(), before.resources, "sockets or processes are left");
});

class Storm {
  readonly counts = new Map<string, number>();
  /** Events that leave a folder in which the next start fails, and calls that were told of it. */
  breaks = 0;
  broken = 0;
  readonly #target: FunctionTarget;
  readonly #random = new SeededRandom(SEED);
  readonly #signal = new AbortController().signal;
  #made = 0;

  constructor(target: FunctionTarget) {
    this.#target = target;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: CALLERS }, () => this.#callOn()));
  }

  async #callOn(): Promise<void> {
    while (this.#made < CALLS) {
      this.#made += 1;
      const n = this.#made;
      const deed = this.#random.chance(0.8) ? "answer" : this.#random.pick(FAULTS);
      if (deed === "break") this.breaks += 1;
      this.#check(n, deed, await this.#invoke(n, deed));
      const processes = resources().filter((kind) => kind === "ProcessWrap").length;
      assert.ok(processes <= ENVIRONMENTS, `${processes} processes`);
    }
  }

  #invoke(n: number, deed: Deed): Promise<InvocationOutcome> {
    const timeoutMs = deed === "hang" ? HANG_MS : TIMEOUT_MS;
    const context = {
      requestId: `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
      functionName: "rude",
      functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:rude",
      deadlineMs: Date.now() + timeoutMs,
      timeoutMs,
    };
    return this.#target.invoke(Buffer.from(JSON.stringify({ n, deed })), context, this.#signal);
  }

  #check(n: number, deed: Deed, outcome: InvocationOutcome): void {
    const seen = outcome.kind === "functionError" ? outcome.errorType : outcome.kind;
    this.counts.set(`${deed}: ${seen}`, (this.counts.get(`${deed}: ${seen}`) ?? 0) + 1);
    if (seen === "RudeStart") {
      this.broken += 1;
      return;
    }
    assert.equal(seen, EXPECTED[deed], `call ${n}, ${deed}: ${JSON.stringify(outcome)}`);
    if (outcome.kind === "succeeded")
      assert.equal(JSON.parse(Buffer.from(outcome.payload).toString()).n, n, "the answer of another");
  }
}

/** Numbers of processes are used again by others within minutes. Who has no /proc believes the number. */
function hasVariable(pid: number, variable: string): boolean {
  if (process.platform !== "linux") return true;
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(variable);
  } catch {
    return false;
  }
}

/** What of an environment would keep this process alive. */
function resources(): readonly string[] {
  const kinds = ["TCPServerWrap", "TCPSocketWrap", "ProcessWrap", "PipeWrap"];
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kinds.includes(kind))
    .toSorted();
}
