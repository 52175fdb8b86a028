import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp, startApiServer } from "../../../src/api/server.ts";
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
