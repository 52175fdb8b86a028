import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../../../src/api/server.ts";
import { LoadTestBook } from "../../../src/control/live/load-tests.ts";
import type { LoadTestProgress } from "../../../src/model/load-test.ts";
import { ControlWorld } from "../control/control-world.ts";
import { apiOptions } from "./api-fixture.ts";

const PROGRESS: Omit<LoadTestProgress, "name"> = {
  state: "running",
  elapsedMs: 1_000,
  totalMs: 60_000,
  sentPerSecond: 10.5,
  deliveredPerSecond: 10,
  lag: 3,
  inFlight: 2,
  failures: 0,
  violations: 0,
  p99Ms: 12,
};

test("a load test tells how it goes, and whoever asks is told", async (t) => {
  const { plane } = await new ControlWorld().start("a");
  const app = createApp(apiOptions(plane));
  t.after(() => app.close());
  const put = async (body: object, name = "soak") =>
    (
      await app.inject({
        method: "PUT",
        url: `/millrace/v1/load-tests/${name}`,
        headers: { host: "localhost", "content-type": "application/json" },
        payload: JSON.stringify(body),
      })
    ).statusCode;
  const list = async () =>
    (await app.inject({ url: "/millrace/v1/load-tests", headers: { host: "localhost" } })).json();
  assert.equal(await put(PROGRESS), 204);
  assert.deepEqual(await list(), { loadTests: [{ name: "soak", ...PROGRESS }] });
  for (const wrong of [
    {},
    { ...PROGRESS, state: "lost" },
    { ...PROGRESS, lag: -1 },
    { ...PROGRESS, lag: "3" },
    { ...PROGRESS, p99Ms: null },
  ])
    assert.equal(await put(wrong), 400, JSON.stringify(wrong));
  assert.equal(await put(PROGRESS, "x".repeat(129)), 400);
  assert.equal(await put({ ...PROGRESS, extra: "x".repeat(1_000) }), 204, "what is not known is not kept");
  assert.deepEqual(await list(), { loadTests: [{ name: "soak", ...PROGRESS }] });
});

test("one that is not heard of any more is forgotten, and how one ended stays a while", () => {
  let nowMs = 0;
  const book = new LoadTestBook({ monotonic: () => nowMs });
  book.tell({ name: "killed", ...PROGRESS });
  book.tell({ name: "ended", ...PROGRESS, state: "passed" });
  nowMs = 14_000;
  assert.equal(book.list().length, 2);
  nowMs = 16_000;
  assert.deepEqual(
    book.list().map(({ name }) => name),
    ["ended"],
  );
  nowMs = 601_000;
  assert.deepEqual(book.list(), []);
});

test("no more than eight are kept", () => {
  const book = new LoadTestBook({ monotonic: () => 0 });
  for (let index = 0; index < 100; index++) book.tell({ name: `t${index}`, ...PROGRESS });
  assert.deepEqual(
    book.list().map(({ name }) => name),
    Array.from({ length: 8 }, (_, index) => `t${92 + index}`),
  );
});
