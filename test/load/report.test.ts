/** `npm run test:load`: a real test's report, opened in a browser and looked at. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { LoadResult } from "../../src/load/load-result.ts";
import { reportHtml } from "../../src/load/report/report.ts";
import { Browser, type Page, type PageLook } from "./browser/browser.ts";
import { countPlots, findFlaws } from "./browser/check-report.ts";

const ROOT = join(import.meta.dirname, "../..");
const BIN = join(ROOT, "src/bin.ts");
/** Kept, so that a person can look at what the tests looked at. */
const OUT = join(ROOT, ".data/load-report");
const LOOKS: readonly PageLook[] = (["light", "dark"] as const).flatMap((scheme) =>
  [1280, 800].map((width) => ({ width, height: 900, scheme })),
);

describe("the report of a stream's load test with faults", () => {
  const parts: { browser?: Browser } = {};

  before(async () => {
    mkdirSync(OUT, { recursive: true });
    runLoad(["-f", join(import.meta.dirname, "report.yaml"), "--out", OUT]);
    parts.browser = await Browser.start();
  });
  after(() => parts.browser?.close());

  const open = async (t: TestContext, file: string, look: PageLook): Promise<Page> => {
    assert.ok(parts.browser !== undefined);
    const page = await parts.browser.open(pathToFileURL(join(OUT, file)).href, look);
    t.after(() => page.close());
    return page;
  };

  for (const look of LOOKS) {
    test(`can be read ${look.width} pixels wide, ${look.scheme}`, async (t) => {
      const page = await open(t, "report.html", look);
      writeFileSync(join(OUT, `report-${look.width}-${look.scheme}.png`), await page.screenshot());
      assert.deepEqual(page.complaints, []);
      assert.deepEqual(await findFlaws(page), []);
      const { plots, series } = await countPlots(page);
      assert.deepEqual([plots, series >= 14], [6, true]);
    });
  }

  test("can be compared with another", async (t) => {
    copyFileSync(join(OUT, "result.json"), join(OUT, "before.json"));
    const stdout = runLoad([
      "--compare",
      join(OUT, "before.json"),
      "--compare",
      join(OUT, "result.json"),
      "--out",
      OUT,
    ]);
    assert.match(stdout, /delivered a second .*1\.00 ×/);
    const page = await open(t, "comparison.html", { width: 1280, height: 900, scheme: "light" });
    writeFileSync(join(OUT, "comparison.png"), await page.screenshot());
    assert.deepEqual(page.complaints, []);
    assert.deepEqual(await findFlaws(page), []);
    assert.equal((await countPlots(page)).plots, 4);
  });

  test("holds nothing but text, whatever the scenario says", async (t) => {
    const result = JSON.parse(readFileSync(join(OUT, "result.json"), "utf8")) as LoadResult;
    const evil = `</pre><script>console.error("ran")</script><img src="http://127.0.0.1:9/x" onerror="console.error('ran')">`;
    const html = reportHtml({
      ...result,
      scenarioText: evil,
      name: evil,
      ledger: { ...result.ledger, examples: [evil] },
    });
    writeFileSync(join(OUT, "evil.html"), html);
    const page = await open(t, "evil.html", { width: 1280, height: 900, scheme: "light" });
    assert.deepEqual(page.complaints, []);
    assert.equal(await page.evaluate("document.scripts.length + document.images.length"), 0);
  });

  const DOCTORED: readonly (readonly [flaw: string, html: (html: string) => string, finds: RegExp])[] = [
    [
      "text that is too small",
      (html) => html.replace("font: 13px system-ui", "font: 9px system-ui"),
      /has 9\.\d px/,
    ],
    [
      "labels on top of each other",
      (html) => html.replaceAll(/<text class="tick"[^>]*>[^<]*<\/text>/g, "$&$&"),
      / meets /,
    ],
    ["an empty line", (html) => html.replaceAll(/ d="M[^"]+"/g, ' d=""'), / is empty/],
    [
      "a line that leaves the plot",
      (html) => html.replaceAll(/ d="M[^"]+"/g, ' d="M0 0L2000 50"'),
      / leaves the plot/,
    ],
    ["pale text", (html) => html.replaceAll("--soft: #586474", "--soft: #c0c8d0"), / is pale/],
    [
      "a plot without a description",
      (html) => html.replaceAll(/<desc [^>]*>[^<]*/g, "<desc>"),
      /no description/,
    ],
    [
      "a plot that is cut off",
      (html) => html.replace("min-width: 740px", "min-width: 2000px"),
      /is cut off by \d+ px/,
    ],
    [
      "something wider than the window",
      (html) => html.replace("<h1>", '<h1 style="min-width: 3000px">'),
      /wider than the window/,
    ],
  ];
  for (const [flaw, doctor, finds] of DOCTORED) {
    test(`would be refused for ${flaw}`, async (t) => {
      const html = readFileSync(join(OUT, "report.html"), "utf8");
      const doctored = doctor(html);
      assert.notEqual(doctored, html);
      writeFileSync(join(OUT, "doctored.html"), doctored);
      const page = await open(t, "doctored.html", { width: 1280, height: 900, scheme: "light" });
      assert.match((await findFlaws(page)).join("\n"), finds);
    });
  }
});

function runLoad(words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, "load", ...words], {
    cwd: ROOT,
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}
