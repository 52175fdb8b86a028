/** `npm run test:page`: a load test is seen on its engine's own page, and on those of processes that it tells. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MillraceProcess } from "../integration/cli/millrace-process.ts";
import { PATIENT } from "../integration/load-run.ts";
import { Browser } from "../load/browser/browser.ts";
import { complaintsOf, seriousFlaws, until } from "./look.ts";
import { SeededRun } from "./seeded-run.ts";

/** It ends when the test has seen enough: a signal ends the sending. */
const SCENARIO = `apiVersion: millrace.dev/v1
kind: LoadTest
metadata: { name: rush-hour }
spec:
${`${PATIENT}
rate: [{ seconds: 240, perSecond: 50 }]
keys: { count: 20, skew: 0.5 }
record: { bytes: 128 }
function: { latency: { ms: 2 } }
mapping:
  eventSourceArn: arn:aws:local:local-1:000000000000:stream/rush
  endpoints: { LOCAL_FILE: [rush.db] }
  startingPosition: TRIM_HORIZON`.replaceAll(/^/gm, "  ")}
`;
const LOOK = { width: 1280, height: 800, scheme: "light" } as const;

test("a load test is seen while it runs, over all processes, and how it ended", {
  timeout: 600_000,
}, async (t) => {
  const browser = await Browser.start();
  t.after(() => browser.close());
  const { run, urls } = await SeededRun.start({ hasCredentials: false, processes: 2 });
  t.after(() => run.end());
  const folder = mkdtempSync(join(tmpdir(), "millrace-page-load-"));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const [told = "", other = ""] = urls;
  writeFileSync(join(folder, "load.yaml"), SCENARIO);
  const args = ["load", "-f", "load.yaml", "--out", join(folder, "out"), "--api", told];
  const load = new MillraceProcess(t, args, folder);
  const own = await addressIn(load);
  for (const url of [own, told, other]) {
    const page = await browser.open(`${url}/#/mappings`, LOOK);
    await until(page, "document.querySelector('.load')?.innerText.includes('Load test rush-hour') === true");
    await until(page, "/Delivered \\/s\\s+[1-9]/.test(document.querySelector('.load').innerText)");
    assert.match(await page.evaluate("document.querySelector('.load').innerText"), /▶ runs/);
    assert.deepEqual(await seriousFlaws(page), []);
    assert.deepEqual([...complaintsOf(page, [url]), ...(await page.refused())], []);
    await page.close();
  }
  const page = await browser.open(`${other}/#/mappings`, LOOK);
  await until(page, "document.querySelector('.load') !== null");
  load.kill("SIGINT");
  const { status } = await load.ended;
  assert.equal(status, 0, load.stdout + load.stderr);
  await until(page, "document.querySelector('.load').innerText.includes('● passed')");
});

/** The page's address stands in what the load test prints. */
async function addressIn(load: MillraceProcess): Promise<string> {
  const deadline = AbortSignal.timeout(300_000);
  for (;;) {
    const [, url] = /the page shows it: (http:\S+?)\/\s/.exec(load.stderr) ?? [];
    if (url !== undefined) return url;
    if (deadline.aborted) throw new Error(`it says no address: ${load.stdout}${load.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
