/** `npm run test:page`: what the page's buttons do, by click, to a real run. */
import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { Browser, type Page } from "../load/browser/browser.ts";
import { click, complaintsOf, seriousFlaws, until } from "./look.ts";
import { SeededRun } from "./seeded-run.ts";

const FAILING = 12;
describe("actions by click", { timeout: 600_000 }, () => {
  let browser: Browser;
  let run: SeededRun;
  let url: string;

  before(async () => {
    browser = await Browser.start();
    const started = await SeededRun.start({ hasCredentials: false, processes: 1 });
    run = started.run;
    [url = ""] = started.urls;
    for (let index = 0; index < FAILING; index++) await run.put(url, "orders", "ada", { id: index });
  });
  after(async () => {
    await browser.close();
    await run.end();
  });

  const open = async (t: TestContext, hash: string): Promise<Page> => {
    const page = await browser.open(`${url}/#/${hash}`, { width: 1280, height: 800, scheme: "light" });
    t.after(() => page.close());
    await until(page, "document.body.innerText.includes('● live')");
    return page;
  };
  const ask = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${url}/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
  };

  test("failures are redriven: what would happen is said before, and it is paused, resumed and done", async (t) => {
    const page = await open(t, "failures/orders");
    const rows =
      "[...document.querySelectorAll('tbody tr')].filter((row) => row.innerText.includes('TypeError')).length";
    await until(page, `${rows} === ${FAILING}`);
    run.mend();
    await page.evaluate(
      "(() => { const rate = document.getElementById('rate'); rate.value = '2'; rate.dispatchEvent(new Event('input')); })(); true",
    );
    await click(page, "Redrive");
    await until(page, "document.querySelector('dialog[open]') !== null");
    const asked = await page.evaluate<string>("document.querySelector('dialog').innerText");
    assert.match(asked, new RegExp(`\\b${FAILING} records\\b`), "the dry run is shown before");
    assert.deepEqual(await seriousFlaws(page), []);
    await click(page, "Redrive", "dialog");
    await click(page, "Pause");
    const isState = (state: string) =>
      `document.querySelector('main section tbody td')?.innerText === '${state}'`;
    await until(page, isState("paused"));
    await click(page, "Resume");
    await until(page, isState("done"));
    const { body } = await ask("GET", "millrace/v1/redrives");
    assert.deepEqual(
      [body.redrives.length, body.redrives[0].state, body.redrives[0].counts.done],
      [1, "done", FAILING],
    );
    assert.deepEqual(
      run.done().map((line) => JSON.parse(line).id),
      Array.from({ length: FAILING }, (_, index) => index),
      "each once, in the order of its key",
    );
    await until(
      page,
      "[...document.querySelectorAll('tbody tr')].every((row) => !/\\bopen\\b/.test(row.innerText))",
    );
    assert.deepEqual([...complaintsOf(page, [url]), ...(await page.refused())], []);
  });

  test("a mapping of the API is deleted, once its user has said so by its name", async (t) => {
    await ask("POST", "millrace/v1/streams", { name: "spare", shards: 1 });
    const created = await ask("POST", "2015-03-31/event-source-mappings", {
      FunctionName: "orders",
      EventSourceArn: "arn:aws:local:local-1:000000000000:stream/spare",
      StartingPosition: "LATEST",
    });
    assert.equal(created.status, 202, JSON.stringify(created.body));
    const uuid: string = created.body.UUID;
    const page = await open(t, `mappings/${uuid}`);
    await click(page, "Delete");
    await until(page, "document.querySelector('dialog[open]') !== null");
    await page.press("Escape");
    await until(page, "document.querySelector('dialog') === null");
    assert.equal(
      (await ask("GET", `2015-03-31/event-source-mappings/${uuid}`)).status,
      200,
      "it was not sure",
    );
    await click(page, "Delete");
    await click(page, `Delete ${uuid}`, "dialog");
    await until(page, "location.hash === '#/mappings'");
    await until(page, `!document.querySelector('main').innerText.includes('${uuid}')`);
    assert.deepEqual([...complaintsOf(page, [url]), ...(await page.refused())], []);
  });

  test("calls of a function are stopped", async (t) => {
    const page = await open(t, "functions");
    await click(page, "Stop calls");
    await click(page, "Stop orders", "dialog");
    await until(page, "document.querySelector('dialog') === null");
    const path = "2017-10-31/functions/orders/concurrency";
    const { body } = await ask("GET", path.replace("2017-10-31", "2019-09-30"));
    assert.equal(body.ReservedConcurrentExecutions, 0);
    await ask("DELETE", path);
  });

  test("records and messages are looked at, and the log says who has", async (t) => {
    await ask("POST", "millrace/v1/queues", { name: "parcels" });
    const put = await ask("POST", "millrace/v1/queues/parcels/messages", {
      body: "<img onerror=1> \u202eevil",
    });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    const page = await open(t, "sources");
    await until(page, "document.querySelector('main').innerText.includes('parcels')");
    const look =
      "[...document.querySelectorAll('tr')].find((row) => row.innerText.includes('parcels')).querySelector('button')";
    await page.evaluate(`${look}.click(); true`);
    await until(page, "document.querySelector('main pre')?.innerText.includes('evil') === true");
    const audit = await run.logged(0, /"action":"ShowMessages"/);
    assert.match(audit, /"source":"parcels"/);
    assert.doesNotMatch(audit, /evil/, "what was looked at is not in the log");
    assert.deepEqual([...complaintsOf(page, [url]), ...(await page.refused())], []);
  });
});
