import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveFrames } from "../../../src/api/page/live-frames.ts";
import { createApp, startApiServer } from "../../../src/api/server.ts";
import { LiveHistory } from "../../../src/control/live/live-history.ts";
import type { LiveMapping } from "../../../src/control/live/live-mapping.ts";
import { LiveBook } from "../../../src/control/live/live-view.ts";
import type { WholeView } from "../../../src/control/whole-view.ts";
import { COUNTERS, type CounterName } from "../../../src/ports/telemetry.ts";
import { ControlWorld } from "../control/control-world.ts";
import { apiOptions, READ_TOKEN, testCredentials, WRITE_TOKEN } from "./api-fixture.ts";

const UUID = "00000000-0000-4000-8000-00000000ffff";
const MAPPING = `/2015-03-31/event-source-mappings/${UUID}`;

test("the page is a closed list of files under a strict policy", async (t) => {
  const app = createApp(apiOptions(undefined));
  t.after(() => app.close());
  const index = await app.inject({ url: "/", headers: { host: "localhost" } });
  assert.equal(index.statusCode, 200);
  const policy = String(index.headers["content-security-policy"]);
  for (const rule of ["default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"])
    assert(policy.includes(rule), rule);
  for (const name of ["main.js", "page.css", "vendor/lit-html.js", "vendor/uplot.js"]) {
    const file = await app.inject({ url: `/page/${name}`, headers: { host: "localhost" } });
    assert.equal(file.statusCode, 200, name);
    assert.equal(file.headers["x-content-type-options"], "nosniff");
    const again = { host: "localhost", "if-none-match": String(file.headers["etag"]) };
    assert.equal((await app.inject({ url: `/page/${name}`, headers: again })).statusCode, 304);
  }
  for (const path of ["/page/../api/server.ts", "/page/index.html", "/page/%2e%2e/api/server.ts", "/page/"])
    assert.equal((await app.inject({ url: path, headers: { host: "localhost" } })).statusCode, 404, path);
});

test("all files of the page together are small", async (t) => {
  const app = createApp(apiOptions(undefined));
  t.after(() => app.close());
  const { gzipSync } = await import("node:zlib");
  const { readPageFiles } = await import("../../../src/api/page/page-files.ts");
  const files = [...readPageFiles().values()];
  const bytes = files.reduce((sum, { content }) => sum + gzipSync(content).length, 0);
  assert(bytes <= 120 * 1024, `${bytes} bytes`);
  assert(files.length <= 20, `${files.length} files`);
});

test("a change comes from the server's own page with its token, and from no other", async (t) => {
  const { plane } = await new ControlWorld().start("a");
  const app = createApp(apiOptions(plane));
  t.after(() => app.close());
  const html = (await app.inject({ url: "/", headers: { host: "localhost:80" } })).body;
  const [, token = ""] = /name="millrace-page" content="([^"]+)"/.exec(html) ?? [];
  assert(token.length >= 32);
  const put = async (headers: Readonly<Record<string, string>>) => {
    const { statusCode } = await app.inject({
      method: "PUT",
      url: MAPPING,
      headers: { host: "localhost:8080", "content-type": "application/json", ...headers },
      payload: "{}",
    });
    return statusCode;
  };
  const origin = "http://localhost:8080";
  assert.equal(await put({ origin, "x-millrace-page": token }), 404, "it passes: there is no such mapping");
  assert.equal(await put({ origin: "https://localhost:8080", "x-millrace-page": token }), 404, "behind TLS");
  assert.equal(await put({ origin }), 403);
  assert.equal(await put({ origin, "x-millrace-page": `${token}x` }), 403);
  assert.equal(await put({ origin, authorization: "Bearer x" }), 403);
  for (const other of [
    "http://localhost:9090",
    "http://evil.example",
    "null",
    "http://localhost:8080.evil.example",
  ])
    assert.equal(await put({ origin: other, "x-millrace-page": token }), 403, other);
});

test("with credentials the page has no token, and a change needs its caller's own", async (t) => {
  const { plane } = await new ControlWorld().start("a");
  const app = createApp(apiOptions(plane, { credentials: testCredentials(t) }));
  t.after(() => app.close());
  const html = (await app.inject({ url: "/", headers: { host: "localhost" } })).body;
  assert.match(html, /name="millrace-page" content=""/);
  const put = async (headers: Readonly<Record<string, string>>) =>
    (
      await app.inject({
        method: "PUT",
        url: MAPPING,
        headers: { host: "localhost", ...headers },
        payload: "{}",
      })
    ).statusCode;
  const origin = "http://localhost";
  assert.equal(await put({ origin, authorization: `Bearer ${WRITE_TOKEN}` }), 404);
  assert.equal(await put({ origin, authorization: `Bearer ${READ_TOKEN}` }), 403);
  assert.equal(await put({ origin, "x-millrace-page": "" }), 403);
  assert.equal(await put({ origin: "http://evil.example", authorization: `Bearer ${WRITE_TOKEN}` }), 403);
});

test("without a page nothing is there, and no page may change anything", async (t) => {
  const { plane } = await new ControlWorld().start("a");
  const app = createApp(apiOptions(plane, { isPageShown: false }));
  t.after(() => app.close());
  assert.equal((await app.inject({ url: "/", headers: { host: "localhost" } })).statusCode, 404);
  const headers = { host: "localhost", origin: "http://localhost", "x-millrace-page": "" };
  assert.equal((await app.inject({ method: "PUT", url: MAPPING, headers, payload: "{}" })).statusCode, 403);
});

test("live frames come as server-sent events, four at once to a caller", async (t) => {
  const { plane } = await new ControlWorld().start("a");
  const server = await startApiServer(apiOptions(plane));
  t.after(() => server.close());
  const readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  for (let index = 0; index < 4; index++) {
    const response = await fetch(`${server.url}/millrace/v1/live`);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body?.getReader();
    if (reader !== undefined) readers.push(reader);
  }
  const first = new TextDecoder().decode((await readers[0]?.read())?.value);
  assert.match(first, /^data: \{"isFull":true,"nowMs":\d+/);
  const frame = JSON.parse(first.slice("data: ".length).split("\n\n")[0] ?? "");
  assert.deepEqual([frame.mappings, frame.processes.length, frame.processes[0].isHere], [[], 1, true]);
  assert.equal((await fetch(`${server.url}/millrace/v1/live`)).status, 429);
  await Promise.all(readers.map((reader) => reader.cancel()));
});

test("a frame names what has changed alone, and what is gone", () => {
  const frames = new LiveFrames();
  const view = (mappings: readonly LiveMapping[], nowMs: number) =>
    frames.next({ nowMs, processes: [], mappings }).map((frame) => JSON.parse(frame));
  assert.deepEqual(view([mapping("a", 1), mapping("b", 1)], 1), [
    { isFull: true, nowMs: 1, problem: null, processes: [], mappings: [mapping("a", 1), mapping("b", 1)] },
  ]);
  assert.deepEqual(view([mapping("a", 1), mapping("b", 2)], 2), [{ nowMs: 2, mappings: [mapping("b", 2)] }]);
  assert.deepEqual(view([mapping("a", 1)], 3), [{ nowMs: 3, gone: ["b"], mappings: [] }]);
});

test("many mappings come in frames of 64 KiB", () => {
  const many = Array.from({ length: 2_000 }, (_, index) => mapping(`m${index}`, 1));
  const frames = new LiveFrames().next({ nowMs: 1, processes: [], mappings: many });
  assert(frames.length > 1);
  for (const frame of frames) assert(frame.length < 70_000, `${frame.length}`);
  assert.equal(frames.flatMap((frame) => JSON.parse(frame).mappings).length, 2_000);
});

test("a process that begins anew tells no rate of before", () => {
  const history = new LiveHistory();
  const whole = (atMs: number, read: number, processId = "p"): WholeView => ({
    nowMs: atMs,
    problem: undefined,
    processes: [seenProcess(processId, atMs, read)],
  });
  history.note(whole(0, 1_000), 0);
  history.note(whole(1_000, 2_000), 1_000);
  history.note(whole(10_000, 6_000), 10_000);
  history.note(whole(20_000, 10, "q"), 20_000);
  history.note(whole(30_000, 110, "q"), 30_000);
  assert.deepEqual(
    history.of("a").map(({ at, read }) => [at, read]),
    [
      [0, 0],
      [10_000, 500],
      [20_000, 0],
      [30_000, 10],
    ],
  );
});

test("a clock of the host that is set back by an hour holds up neither the history nor the view", async () => {
  let wallMs = 3_600_000;
  let monotonicMs = 0;
  const book = new LiveBook({
    everywhere: async () => ({ nowMs: wallMs, problem: undefined, processes: [seenProcess("p", wallMs, 1)] }),
    mappings: async () => [],
    clock: { monotonic: () => monotonicMs },
  });
  assert.equal((await book.view()).nowMs, 3_600_000);
  wallMs = 0;
  monotonicMs = 6_000;
  assert.equal((await book.view()).nowMs, 0);
  assert.equal((await book.detail("a", false)).history.length, 2);
});

test("a quarter of an hour is kept", () => {
  const history = new LiveHistory();
  for (let step = 0; step < 1_000; step++)
    history.note(
      { nowMs: step * 5_000, problem: undefined, processes: [seenProcess("p", step * 5_000, step)] },
      step * 5_000,
    );
  assert.equal(history.of("a").length, 180);
  assert.deepEqual(history.of("nobody"), []);
});

function mapping(uuid: string, read: number): LiveMapping {
  return {
    uuid,
    name: uuid,
    source: "s",
    functionName: "f",
    state: "Enabled",
    lastProcessingResult: "OK",
    isFromManifest: false,
    counts: { read, invoked: 0, failed: 0, givenUp: 0 },
    oldestAgeMs: 0,
    caughtUp: true,
    shards: 1,
    processes: 1,
    heldUp: 0,
  };
}

function seenProcess(processId: string, atMs: number, read: number): WholeView["processes"][number] {
  const counters = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, 0])) as Record<
    CounterName,
    number
  >;
  return {
    isHere: true,
    standing: "lives",
    ageMs: 0,
    snapshot: {
      form: 1,
      processId,
      beatsAs: processId,
      startedMs: 0,
      atMs,
      isEnded: false,
      mappingsLeftOut: 0,
      mappings: [
        {
          uuid: "a",
          name: "a",
          source: "s",
          functionName: "f",
          state: "Enabled",
          lastProcessingResult: "OK",
          oldestAgeMs: 0,
          caughtUp: true,
          counters: { ...counters, polled_events: read },
          invocations: 0,
          shards: 1,
          shardsLeftOut: 0,
          parts: [],
          partsLeftOut: 0,
          errors: { errors: [], leftOut: 0 },
        },
      ],
    },
  };
}
