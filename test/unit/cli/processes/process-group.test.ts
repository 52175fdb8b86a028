import assert from "node:assert/strict";
import { test } from "node:test";
import type { FromMember, MemberProcess, ToMember } from "../../../../src/cli/processes/group-messages.ts";
import { ProcessGroup } from "../../../../src/cli/processes/process-group.ts";
import { membersWords } from "../../../../src/cli/processes/run-processes.ts";
import { ManualClock } from "../../engine/stream/small-world.ts";

class FakeProcess implements MemberProcess {
  readonly pid = 1;
  readonly #ended = Promise.withResolvers<{ status: number | null; signal: string | null }>();
  readonly heard: ToMember[] = [];
  isAnswering = true;
  /** Who waits for its end keeps what it waits with until then. */
  waitsForEnd = 0;
  #onMessage: (message: FromMember) => void = () => {};

  get ended() {
    this.waitsForEnd++;
    return this.#ended.promise;
  }

  send(message: ToMember): void {
    this.heard.push(message);
    if (message.kind !== "report" || !this.isAnswering) return;
    this.say({ kind: "reported", request: message.request, report: { mappings: [], metrics: undefined } });
  }

  onMessage(listener: (message: FromMember) => void): void {
    this.#onMessage = listener;
  }

  onLine(): void {}

  kill(): void {
    this.end({ status: null, signal: "SIGKILL" });
  }

  say(message: FromMember): void {
    this.#onMessage(message);
  }

  end(result: { status: number | null; signal: string | null }): void {
    this.#ended.resolve(result);
  }
}

function startGroup(size: number) {
  const clock = new ManualClock();
  const forked: { readonly processId: string; readonly child: FakeProcess }[] = [];
  const logged: string[] = [];
  const retired: string[] = [];
  const group = new ProcessGroup({
    size,
    fork: (processId) => {
      const child = new FakeProcess();
      forked.push({ processId, child });
      return child;
    },
    clock,
    log: (level, _message, { process, reason }) => logged.push(`${level} ${process} ${reason}`),
    onLine: () => {},
    metrics: { update: () => {}, retire: (processId) => retired.push(processId), text: async () => "" },
  });
  const ids = () => forked.map(({ processId }) => processId);
  const newest = () => forked.at(-1)?.child ?? assert.fail("nothing was started");
  return { group, clock, forked, logged, retired, ids, newest };
}

test("the others are started once the first has started", async () => {
  const { group, clock, ids, newest } = startGroup(3);
  const started = group.start();
  await clock.advance(60_000);
  assert.deepEqual(ids(), ["1"]);
  newest().say({ kind: "started" });
  assert.equal(await started, undefined);
  assert.deepEqual(ids(), ["1", "2", "3"]);
});

test("what is in the way of the first is in the way of all, and is told by its status", async () => {
  const { group, clock, ids, newest } = startGroup(3);
  const started = group.start();
  newest().end({ status: 2, signal: null });
  assert.equal(await started, 2);
  await clock.advance(60_000);
  assert.deepEqual(ids(), ["1"]);
});

test("a process that ends is started again, later and later while it keeps ending, and soon after it ran for long", async () => {
  const { group, clock, forked, logged, retired, newest } = startGroup(1);
  const started = group.start();
  newest().say({ kind: "started" });
  await started;
  const waitsMs: number[] = [];
  const restart = async () => {
    const before = forked.length;
    newest().kill();
    for (let waitedMs = 0; ; waitedMs += 500) {
      await clock.advance(waitedMs === 0 ? 0 : 500);
      if (forked.length > before) {
        waitsMs.push(waitedMs);
        return;
      }
      assert.ok(waitedMs < 60_000);
    }
  };
  for (let times = 0; times < 7; times++) await restart();
  newest().say({ kind: "started" });
  await clock.advance(60_000);
  await restart();
  assert.deepEqual(waitsMs, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 1_000]);
  assert.equal(logged[0], "error 1 signal SIGKILL");
  assert.deepEqual(new Set(retired), new Set(["1"]));
});

test("a stop drains all, starts none again and ends with the worst status", async () => {
  const { group, clock, forked, newest } = startGroup(3);
  const started = group.start();
  newest().say({ kind: "started" });
  await started;
  forked[2]?.child.kill();
  await clock.advance(0);
  const stopped = group.stop("SIGTERM");
  for (const { child } of forked.slice(0, 2)) {
    assert.deepEqual(child.heard, [{ kind: "stop", signal: "SIGTERM" }]);
    child.end({ status: child === forked[0]?.child ? 0 : 1, signal: null });
  }
  assert.equal(await stopped, 1);
  await clock.advance(60_000);
  assert.equal(forked.length, 3);
});

test("a process that was told to stop while it started is told again", async () => {
  const { group, forked, newest } = startGroup(2);
  const started = group.start();
  newest().say({ kind: "started" });
  await started;
  const stopped = group.stop("SIGINT");
  newest().say({ kind: "started" });
  assert.deepEqual(newest().heard, Array(2).fill({ kind: "stop", signal: "SIGINT" }));
  for (const { child } of forked) child.end({ status: 0, signal: null });
  assert.equal(await stopped, 0);
});

test("one that does not answer is shown as it was, and does not hold up the others", async () => {
  const { group, clock, forked, newest } = startGroup(2);
  const started = group.start();
  newest().say({ kind: "started" });
  await started;
  newest().say({ kind: "started" });
  for (const { child } of forked) child.isAnswering = false;
  const progress = (name: string) => [
    {
      status: {
        uuid: name,
        name,
        state: "Enabled" as const,
        lastProcessingResult: "OK",
        oldestAgeMs: 0,
        shards: [],
        caughtUp: false,
      },
      totals: { counters: {} as never, gauges: {} as never, invocations: 1 },
    },
  ];
  const answer = (index: number, name: string) => {
    const asked = forked[index]?.child.heard.findLast(({ kind }) => kind === "report");
    assert.ok(asked?.kind === "report");
    forked[index]?.child.say({
      kind: "reported",
      request: asked.request,
      report: { mappings: progress(name), metrics: undefined },
    });
  };
  const both = group.report(false);
  answer(0, "a");
  answer(1, "b");
  assert.deepEqual(
    (await both).mappings.map(({ status }) => status.name),
    ["a", "b"],
  );
  const one = group.report(false);
  answer(0, "c");
  await clock.advance(2_000);
  assert.deepEqual(
    (await one).mappings.map(({ status }) => status.name),
    ["c", "b"],
  );
});

test("processes get the command line without what is the parent's", () => {
  const words = ["run", "--processes", "3", "-f", "3", "--store=sqlite:x", "--processes=4"];
  assert.deepEqual(membersWords(words), ["run", "-f", "3", "--store=sqlite:x"]);
});

test("a thousand reports leave nothing with a process that lives on", async () => {
  const { group, newest } = startGroup(1);
  void group.start();
  newest().say({ kind: "started" });
  const before = newest().waitsForEnd;
  for (let scrape = 0; scrape < 1000; scrape++) {
    await group.report(true);
  }
  assert.equal(newest().waitsForEnd, before);
});

test("a report that is asked for while a process ends does not wait for its answer", async () => {
  const { group, newest } = startGroup(1);
  void group.start();
  newest().say({ kind: "started" });
  newest().isAnswering = false;
  const report = group.report(false);
  newest().end({ status: 1, signal: null });
  assert.deepEqual(await report, { mappings: [], metricsText: "" });
});

test("a process that stands still is killed after half a minute, and started again", async () => {
  const { group, clock, ids, logged, newest } = startGroup(1);
  void group.start();
  newest().say({ kind: "started" });
  newest().isAnswering = false;
  await clock.advance(30_000);
  assert.deepEqual(ids(), ["1"]);
  await clock.advance(30_000);
  assert.deepEqual(ids(), ["1", "1"]);
  assert.deepEqual(logged, ["error 1 undefined", "error 1 signal SIGKILL"]);
});

test("a process that is too busy to answer now and then lives on", async () => {
  const { group, clock, ids, newest } = startGroup(1);
  void group.start();
  newest().say({ kind: "started" });
  for (let look = 0; look < 40; look++) {
    newest().isAnswering = look % 4 === 0;
    await clock.advance(7_000);
  }
  assert.deepEqual(ids(), ["1"]);
});
