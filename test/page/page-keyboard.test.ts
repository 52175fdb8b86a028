/** `npm run test:page`: every view by keyboard alone, wide and narrow. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Browser, type Page } from "../load/browser/browser.ts";
import { goTo, keepPicture, loaded, seriousFlaws, until, VIEWS } from "./look.ts";
import { SeededRun } from "./seeded-run.ts";

const NARROW = { width: 390, height: 844 } as const;
const TABS_MAX = 200;
const CONTROLS =
  "[...document.querySelectorAll('header a, nav a, main a, main button, main input, main textarea, main select, main summary')].filter((e) => !e.disabled && e.checkVisibility())";

describe("by keyboard", { timeout: 600_000 }, () => {
  let browser: Browser;
  let run: SeededRun;
  let url: string;

  before(async () => {
    browser = await Browser.start();
    const started = await SeededRun.start({ hasCredentials: false, processes: 1 });
    run = started.run;
    [url = ""] = started.urls;
    await run.put(url, "bills", "ada", { id: 1 });
    await run.put(url, "orders", "ada", { id: 2 });
  });
  after(async () => {
    await browser.close();
    await run.end();
  });

  for (const view of [...VIEWS, "mapping"]) {
    test(`${view}: everything is reached, the focus is seen, and a narrow window shows it all`, async (t) => {
      const page = await browser.open(`${url}/#/mappings`, { ...NARROW, scheme: "dark" });
      t.after(() => page.close());
      await until(page, "document.querySelector('.need a') !== null");
      if (view === "mapping") await page.evaluate("document.querySelector('.need a').click(); true");
      else await goTo(page, view);
      if (view === "mapping") await until(page, "document.querySelector('main .crumbs') !== null");
      await loaded(page);
      await everythingIsReached(page);
      assert.equal(
        await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
        true,
        "the page is no wider than the window",
      );
      assert.deepEqual(await seriousFlaws(page), []);
      keepPicture(`${view}-narrow`, await page.screenshot());
    });
  }

  test("a question is asked, left and answered without a mouse", async (t) => {
    const page = await browser.open(`${url}/#/functions`, { width: 1280, height: 800, scheme: "light" });
    t.after(() => page.close());
    await until(page, "document.querySelector('main button') !== null");
    await page.evaluate("document.querySelector('main button').focus(); true");
    await page.press("Enter");
    await until(page, "document.querySelector('dialog[open]')?.contains(document.activeElement) === true");
    assert.deepEqual(await seriousFlaws(page), []);
    await page.press("Escape");
    await until(page, "document.querySelector('dialog') === null");
    assert.equal(await page.evaluate("document.activeElement.innerText"), "Stop calls", "the focus is back");
  });

  test("a filter and a view are one key away, and a key that is typed is only typed", async (t) => {
    const page = await browser.open(`${url}/#/mappings`, { width: 1280, height: 800, scheme: "light" });
    t.after(() => page.close());
    await until(page, "document.querySelectorAll('tbody tr').length === 2");
    await page.press("/");
    for (const key of "gbill") await page.press(key);
    assert.equal(await page.evaluate("document.getElementById('filter').value"), "gbill");
    assert.equal(await page.evaluate("location.hash"), "#/mappings");
    await page.evaluate("document.activeElement.blur(); true");
    for (const key of "gs") await page.press(key);
    await until(page, "location.hash === '#/sources'");
  });
});

/** Presses the tabulator until all controls have had the focus, each with a ring around it. */
async function everythingIsReached(page: Page): Promise<void> {
  await page.evaluate("document.activeElement?.blur(); window.reached = new Set(); true");
  for (let tab = 0; tab < TABS_MAX; tab++) {
    await page.press("Tab");
    const ring = await page.evaluate<string>(`(() => {
      const focused = document.activeElement;
      window.reached.add(focused);
      return focused === document.body || focused.id === 'main' ? 'solid' : getComputedStyle(focused).outlineStyle;
    })()`);
    assert.notEqual(ring, "none", await page.evaluate("document.activeElement.outerHTML.slice(0, 200)"));
    if (await page.evaluate<boolean>(`${CONTROLS}.every((e) => window.reached.has(e))`)) return;
  }
  const missed = `${CONTROLS}.filter((e) => !window.reached.has(e)).map((e) => e.outerHTML.slice(0, 120)).join()`;
  assert.fail(`not reached: ${await page.evaluate(missed)}`);
}
