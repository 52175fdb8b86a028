/** `npm run test:page`: what others have written, in every field of every view, is text. */
import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { type ApiServer, startApiServer } from "../../src/api/server.ts";
import { Browser, type Page } from "../load/browser/browser.ts";
import { apiOptions } from "../unit/api/api-fixture.ts";
import { ControlWorld, STREAM } from "../unit/control/control-world.ts";
import { Crowd } from "./crowd.ts";
import { complaintsOf, goTo, loaded, seriousFlaws, until, VIEWS } from "./look.ts";
import { SeededRun } from "./seeded-run.ts";

/** Markup, an attribute's end, a template's hole, a script, an ANSI sequence, and text that runs the other way. */
const HOSTILE =
  '<img src=x onerror="window.pwned=1">"\'><svg onload=window.pwned=2>{{window.pwned=3}}`javascript:window.pwned=4\u001b[31m\u202eevil';
const HARMLESS = `window.pwned === undefined
  && document.querySelectorAll('main img, main svg, main script, main iframe, dialog img').length === 0
  && [...document.querySelectorAll('a')].every((a) => a.protocol === location.protocol)`;

describe("hostile content", { timeout: 600_000 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await Browser.start();
  });
  after(() => browser.close());

  const open = async (t: TestContext, url: string, hash: string): Promise<Page> => {
    const page = await browser.open(`${url}/#/${hash}`, { width: 1280, height: 800, scheme: "light" });
    t.after(() => page.close());
    await until(page, "document.body.innerText.includes('● live')");
    return page;
  };
  const check = async (page: Page, url: string, what: string) => {
    assert.equal(await page.evaluate(HARMLESS), true, what);
    assert.deepEqual([...complaintsOf(page, [url]), ...(await page.refused())], [], what);
    assert.deepEqual(await seriousFlaws(page), [], what);
  };

  test("in everything that a process says: names, sources, reasons, shards, errors, stacks, load tests", async (t) => {
    const server = await hostileServer();
    t.after(() => server.close());
    for (const hash of ["mappings", "mappings/00000000-0000-4000-8000-000000000000", "processes"]) {
      const page = await open(t, server.url, hash);
      await loaded(page);
      await until(page, "document.querySelector('main').textContent.includes('onerror')");
      await check(page, server.url, hash);
    }
  });

  test("in keys, records, messages and what a function throws, as long as they are", async (t) => {
    const { run, urls } = await SeededRun.start({ hasCredentials: false, processes: 1 });
    t.after(() => run.end());
    const [url = ""] = urls;
    await run.put(url, "orders", HOSTILE.slice(0, 200), { id: HOSTILE });
    await run.put(url, "bills", HOSTILE.slice(0, 200), { id: HOSTILE });
    await run.put(url, "orders", "long", { id: 1, price: 1, text: HOSTILE.repeat(5_000) });
    const page = await open(t, url, "failures");
    await until(page, "document.querySelector('main').textContent.includes('onerror')");
    for (const view of VIEWS) {
      await goTo(page, view);
      const looks = await page.evaluate<number>(
        "[...document.querySelectorAll('main button')].filter((b) => b.innerText === 'Look').length",
      );
      for (let index = 0; index < looks; index++) {
        await page.evaluate(
          `[...document.querySelectorAll('main button')].filter((b) => /Look|Close/.test(b.innerText))[${index}].click(); true`,
        );
        await until(page, "document.querySelector('main pre')?.textContent.includes('onerror') === true");
      }
      await check(page, url, view);
    }
    await page.evaluate("location.hash = '#/mappings'; true");
    await until(page, "document.querySelector('.need')?.textContent.includes('onerror') === true");
    await check(page, url, "needs you");
  });
});

/** Processes whose every text is hostile. */
async function hostileServer(): Promise<ApiServer> {
  const { plane } = await new ControlWorld().start("a");
  const spec = { eventSourceArn: STREAM, functionName: "orders", startingPosition: "TRIM_HORIZON" };
  const template = await plane.mappings.create(spec, false, {});
  const crowd = new Crowd({ mappings: 30, shards: 30, processes: 2 }, template);
  plane.everywhere = async () => hostile(crowd.next());
  plane.mappings.list = async () =>
    crowd.views().map((view) => ({
      ...view,
      problem: view.resource.mapping.name.endsWith("9") ? HOSTILE : undefined,
      lastProcessingResult: HOSTILE,
      resource: {
        ...view.resource,
        functionName: HOSTILE,
        mapping: { ...view.resource.mapping, name: HOSTILE },
      } as typeof view.resource,
    }));
  plane.mappings.uuidNamed = async (uuid) => uuid;
  return await startApiServer(apiOptions(plane));
}

/** Names by which parts belong together stay as they are; all other texts become hostile. */
function hostile<T>(value: T, name = ""): T {
  if (typeof value === "string") return (KEPT.has(name) ? value : HOSTILE) as T;
  if (Array.isArray(value)) return value.map((each) => hostile(each, name)) as T;
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, each]) => [key, hostile(each, key)]);
  return Object.fromEntries(members) as T;
}

const KEPT = new Set(["uuid", "kind", "state", "standing", "code", "doing", "errorId", "id"]);
