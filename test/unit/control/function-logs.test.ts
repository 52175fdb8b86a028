import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { FunctionLogBook } from "../../../src/control/logs/function-log-book.ts";
import type { LogPage, LogQuestion } from "../../../src/control/logs/function-logs.ts";
import { type ControlProcess, ControlWorld } from "./control-world.ts";

const QUESTION: LogQuestion = { fn: "orders", max: 1_000 };

function print(log: FunctionLogBook, text: string, requestId?: string, fn = "orders"): void {
  log.line({ fn, version: "$LATEST", requestId, stream: "stdout", text });
}

async function read(world: ControlWorld, { plane }: ControlProcess, question = QUESTION): Promise<LogPage> {
  const page = plane.toldFunctions.logs.read(question);
  await world.pass(4_000);
  return await page;
}

function textsOf({ lines }: LogPage): readonly string[] {
  return lines.map(({ text }) => text);
}

test("any process shows what a function has printed in all of them, by time, and of no other function", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  const b = await world.start("b");
  print(a.functionLog, "first, in a");
  print(b.functionLog, "elsewhere", undefined, "other");
  await world.pass(1_000);
  print(b.functionLog, "second, in b");
  await world.pass(1_000);
  print(a.functionLog, "third, in a");
  const texts = ["first, in a", "second, in b", "third, in a"];
  assert.deepEqual(textsOf(await read(world, a)), texts);
  assert.deepEqual(textsOf(await read(world, b)), texts);
});

test("who follows gets each line once, of its own process and of others", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  const b = await world.start("b");
  print(a.functionLog, "a1");
  print(b.functionLog, "b1");
  const seen: string[] = [];
  let page = await read(world, a);
  seen.push(...textsOf(page));
  for (let round = 2; round < 6; round++) {
    print(a.functionLog, `a${round}`);
    print(b.functionLog, `b${round}`);
    // Until the other has said so: it is asked every time.
    await world.pass(4_000);
    page = await read(world, a, { ...QUESTION, after: page.seen });
    seen.push(...textsOf(page));
    assert.equal(page.isCut, false);
  }
  page = await read(world, a, { ...QUESTION, after: page.seen });
  seen.push(...textsOf(page));
  const wanted = [1, 2, 3, 4, 5].flatMap((round) => [`a${round}`, `b${round}`]);
  assert.deepEqual(seen.toSorted(), wanted.toSorted());
});

test("a page that is full goes on where it ended", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  const { seen } = await read(world, a);
  for (let line = 0; line < 25; line++) print(a.functionLog, `line ${line}`);
  const texts: string[] = [];
  let after = seen;
  for (let pages = 0; pages < 3; pages++) {
    const page = await read(world, a, { ...QUESTION, max: 10, after });
    texts.push(...textsOf(page));
    after = page.seen;
  }
  assert.deepEqual(
    texts,
    Array.from({ length: 25 }, (_, line) => `line ${line}`),
  );
});

test("only a call's lines are shown, and only those since a time", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  print(a.functionLog, "early", "r-1");
  await world.pass(10_000);
  const sinceMs = world.clock.now();
  print(a.functionLog, "late", "r-1");
  print(a.functionLog, "another's", "r-2");
  assert.deepEqual(textsOf(await read(world, a, { ...QUESTION, requestId: "r-1" })), ["early", "late"]);
  assert.deepEqual(textsOf(await read(world, a, { ...QUESTION, sinceMs })), ["late", "another's"]);
});

test("a process that has ended in order leaves its last lines", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  const b = await world.start("b");
  print(b.functionLog, "last words");
  await b.plane.stop();
  await b.plane.forget();
  assert.deepEqual(textsOf(await read(world, a)), ["last words"]);
});

test("a function that prints much drops its own lines only, and who follows is told of a gap", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  print(a.functionLog, "quiet", undefined, "other");
  const { seen } = await read(world, a);
  for (let line = 0; line < 20_000; line++) print(a.functionLog, "x".repeat(200));
  const page = await read(world, a, { ...QUESTION, max: 100_000, after: seen });
  assert(page.lines.length >= 1_000 && page.lines.length <= 5_000, String(page.lines.length));
  assert.equal(page.isCut, true);
  assert.deepEqual(textsOf(await read(world, a, { ...QUESTION, fn: "other" })), ["quiet"]);
});

test("of lines that do not fit another process shows the newest, and says that some are left out", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  const b = await world.start("b");
  const { seen } = await read(world, a);
  // Nothing makes them shorter.
  for (let line = 0; line < 100; line++)
    print(b.functionLog, `${line} ${randomBytes(1_000).toString("hex")}`);
  await world.pass(4_000);
  const page = await read(world, a, { ...QUESTION, after: seen });
  assert.equal(page.isCut, true);
  assert(page.lines.length > 5 && page.lines.length < 100, String(page.lines.length));
  assert.match(page.lines.at(-1)?.text ?? "", /^99 /);
});

test("nothing is written while nothing is printed", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  print(a.functionLog, "once");
  await read(world, a);
  const written: string[] = [];
  const { write } = world.snapshots;
  world.snapshots.write = (snapshot) => {
    written.push(snapshot.processId);
    return write.call(world.snapshots, snapshot);
  };
  await read(world, a);
  assert(!written.includes("a/log"), written.join());
  assert(written.includes("a"));
});
