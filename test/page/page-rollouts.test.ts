/** `npm run test:page`: a rollout as the page shows it, and stops it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MillraceProcess, until as untilSo } from "../integration/cli/millrace-process.ts";
import { Browser } from "../load/browser/browser.ts";
import { click, complaintsOf, keepPicture, seriousFlaws, until } from "./look.ts";

function manifest(port: number, version: number): string {
  const http = `http: { url: "http://127.0.0.1:${port}/" }`;
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec:
  ${http}
  versions: { 1: { ${http} }, 2: { ${http} } }
  aliases: { live: { version: ${version}, rollout: { type: { kind: canary, percent: 50, minutes: 60 } } } }
`;
}

test("a rollout is drawn with both versions, says why it stands, and is stopped", {
  timeout: 300_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-page-rollouts-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = createServer((request, response) => request.resume().on("end", () => response.end("{}")));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const file = join(folder, "orders.yaml");
  writeFileSync(file, manifest(port, 1));
  const words = ["run", "-f", file, "--store", "sqlite:state.db", "--api", "127.0.0.1:0"];
  const run = new MillraceProcess(t, words, folder);
  const url = await run.apiUrl();
  writeFileSync(file, manifest(port, 2));
  run.kill("SIGHUP");
  const list = async () => await (await fetch(new URL("/millrace/v1/rollouts", url))).text();
  await untilSo(
    async () => (await list()).includes('"share":0.5'),
    () => run.stderr,
  );
  const invoke = new URL("/2015-03-31/functions/orders:live/invocations", url);
  for (let call = 0; call < 40; call++) await (await fetch(invoke, { method: "POST", body: "{}" })).text();

  const browser = await Browser.start();
  t.after(() => browser.close());
  const page = await browser.open(`${url}/#/rollouts`, { width: 1280, height: 800, scheme: "light" });
  await until(page, "document.querySelector('main table a') !== null");
  await page.evaluate("document.querySelector('main table a').click(); true");
  await until(page, "document.querySelector('#plot-versions canvas') !== null");
  await until(page, "/In a minute: \\d+ calls of version 2/.test(document.body.innerText)");
  const text = await page.evaluate<string>("document.querySelector('main').innerText");
  assert.match(text, /Version 2 has 50 % of the traffic of orders:live: step 1 of 2\./);
  assert.match(text, /It stands there because of this: The next step has its time\./);
  assert.deepEqual(complaintsOf(page, [url]), []);
  assert.deepEqual(await seriousFlaws(page), []);
  keepPicture("rollout-light", await page.screenshot());
  await click(page, "Stop");
  await click(page, "Stop it", "dialog");
  await until(
    page,
    "document.querySelector('main').innerText.includes('All traffic of orders:live went back to version 1')",
  );
  assert.match(await list(), /"status":"Stopped"/);
});
