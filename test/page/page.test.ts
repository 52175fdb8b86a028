/** `npm run test:page`: the page at `/`, opened in a browser over a real run, looked at and used. */
import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { Browser } from "../load/browser/browser.ts";
import { complaintsOf, keepPicture, loaded, seriousFlaws, until, VIEWS } from "./look.ts";
import { HOSTILE, SeededRun, TOKENS } from "./seeded-run.ts";

describe("the page over two processes of one store", { timeout: 600_000 }, () => {
  let browser: Browser;
  let run: SeededRun;
  let urls: readonly string[];

  before(async () => {
    browser = await Browser.start();
    ({ run, urls } = await SeededRun.start({ hasCredentials: false, processes: 2 }));
    const [url = ""] = urls;
    for (let index = 0; index < 20; index++)
      await run.put(url, "orders", `key-${index}`, { id: index, price: 1 });
    await run.put(url, "orders", HOSTILE, { id: HOSTILE });
    await run.put(url, "bills", "ada", { id: 1 });
  });
  after(async () => {
    await browser.close();
    await run.end();
  });

  const open = async (t: TestContext, hash: string, scheme: "light" | "dark" = "light", at = 0) => {
    const page = await browser.open(`${urls[at]}/#/${hash}`, { width: 1280, height: 800, scheme });
    t.after(() => page.close());
    await until(page, "document.body.innerText.includes('● live')");
    return page;
  };

  for (const view of VIEWS) {
    test(`${view}: drawn without complaints, readable by all`, async (t) => {
      for (const scheme of ["light", "dark"] as const) {
        const page = await open(t, view, scheme);
        await loaded(page);
        keepPicture(`${view}-${scheme}`, await page.screenshot());
        assert.deepEqual(complaintsOf(page, urls), []);
        assert.deepEqual(await seriousFlaws(page), [], `${view}, ${scheme}`);
      }
    });
  }

  test("what stands still stands first, with its cause and what to do, in either process's page", async (t) => {
    for (const at of [0, 1]) {
      const page = await open(t, "mappings", "light", at);
      await until(page, "document.querySelector('.need')?.innerText.includes('billing') === true");
      const need = await page.evaluate<string>("document.querySelector('.need').innerText");
      assert.match(need, /function fails/);
      await until(page, "document.querySelectorAll('tbody tr').length === 2");
    }
  });

  test("a mapping shows the message and stack of its error, its plots and its shards", async (t) => {
    const page = await open(t, "mappings");
    await until(page, "document.querySelector('tbody th a') !== null");
    await page.evaluate(
      "[...document.querySelectorAll('tbody th a')].find((a) => a.innerText === 'billing').click()",
    );
    await until(page, "document.body.innerText.includes('no price for order 1')");
    await until(page, "document.querySelectorAll('.plot canvas').length === 2");
    const text = await page.evaluate<string>("document.querySelector('main').textContent");
    assert.match(text, /at handler/);
    assert.match(text, /shardId-000000000000/);
    assert.deepEqual(complaintsOf(page, urls), []);
    assert.deepEqual(await seriousFlaws(page), []);
    keepPicture("mapping-light", await page.screenshot());
  });

  test("hostile content is text", async (t) => {
    const page = await open(t, "failures");
    await until(page, "[...document.querySelectorAll('button')].some((b) => b.innerText === 'Look')");
    await page.evaluate(
      "[...document.querySelectorAll('button')].find((b) => b.innerText === 'Look').click()",
    );
    await until(page, "document.querySelector('main').textContent.includes('onerror')");
    assert.equal(
      await page.evaluate("window.pwned === undefined && document.querySelector('main img') === null"),
      true,
    );
    assert.deepEqual(complaintsOf(page, urls), []);
  });

  test("a record is sent, a function invoked and a pattern tried by hand", async (t) => {
    const page = await open(t, "try/orders");
    await until(page, "document.querySelectorAll('form.card').length === 3");
    await page.evaluate(`
      const [invoke, send, pattern] = document.querySelectorAll('form.card');
      invoke.elements.event.value = JSON.stringify({ Records: [{ kinesis: { data: btoa('{"id":"by hand"}') } }] });
      invoke.requestSubmit();
      send.elements.name.value = 'orders';
      send.elements.key.value = 'page';
      send.elements.body.value = '{"id":7,"price":2}';
      send.requestSubmit();
      pattern.requestSubmit();
      true`);
    await until(page, "document.querySelectorAll('form.card pre').length === 3");
    const [invoked, sent, tried] = await page.evaluate<string[]>(
      "[...document.querySelectorAll('form.card pre')].map((pre) => pre.innerText)",
    );
    assert.match(
      invoked ?? "",
      /failed \(Unhandled\)[\s\S]*no price for order by hand[\s\S]*looking for the price of by hand/,
    );
    assert.match(sent ?? "", /sequenceNumber/);
    assert.match(tried ?? "", /It matches/);
  });

  test("a mapping is disabled and enabled, once its user has said so", async (t) => {
    const page = await open(t, "mappings");
    await until(page, "document.querySelector('tbody th a') !== null");
    await page.evaluate(
      "[...document.querySelectorAll('tbody th a')].find((a) => a.innerText === 'orders').click()",
    );
    for (const [action, state] of [
      ["Disable", "Disabled"],
      ["Enable", "●"],
    ]) {
      await until(
        page,
        `[...document.querySelectorAll('main .actions button')].some((b) => b.innerText === '${action}')`,
      );
      await page.evaluate(
        `[...document.querySelectorAll('main .actions button')].find((b) => b.innerText === '${action}').click()`,
      );
      await until(page, "document.querySelector('dialog[open]') !== null");
      assert.deepEqual(await seriousFlaws(page), []);
      await page.evaluate("document.querySelector('dialog button').click()");
      await until(page, `document.querySelector('.bar .mark')?.innerText.includes('${state}') === true`);
    }
  });

  test("keys lead to views and to the filter", async (t) => {
    const page = await open(t, "mappings");
    const press = (key: string) =>
      `document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true }));`;
    await page.evaluate(`${press("/")} true`);
    assert.equal(await page.evaluate("document.activeElement.id"), "filter");
    await page.evaluate(`document.activeElement.blur(); ${press("g")} ${press("f")} true`);
    await until(
      page,
      "location.hash === '#/failures' && document.querySelector('main h1').innerText === 'Failures'",
    );
  });
});

describe("the page where callers have credentials", { timeout: 600_000 }, () => {
  test("asks for a token, keeps it where its user said, and shows what the caller may do", async (t) => {
    const browser = await Browser.start();
    t.after(() => browser.close());
    const { run, urls } = await SeededRun.start({ hasCredentials: true, processes: 1 });
    t.after(() => run.end());
    const [url = ""] = urls;
    await run.put(url, "bills", "ada", { id: 1 }, TOKENS.writer);
    for (const [token, mayWrite] of [
      [TOKENS.reader, false],
      [TOKENS.writer, true],
    ] as const) {
      const page = await browser.open(`${url}/#/mappings`, { width: 1280, height: 800, scheme: "light" });
      await until(page, "document.querySelector('input[name=token]') !== null");
      await page.evaluate(`
        document.querySelector('input[name=token]').value = '${token}';
        document.querySelector('form').requestSubmit(); true`);
      await until(page, "document.querySelector('.need')?.innerText.includes('billing') === true");
      await page.evaluate(
        "[...document.querySelectorAll('tbody th a')].find((a) => a.innerText === 'billing').click()",
      );
      await until(page, "document.querySelectorAll('details.error').length === 1");
      const text = await page.evaluate<string>("document.querySelector('main').textContent");
      assert.equal(
        text.includes("no price for order 1"),
        mayWrite,
        "texts of functions are for those who may inspect",
      );
      const buttons = await page.evaluate<string[]>(
        "[...document.querySelectorAll('main button')].map((b) => b.innerText)",
      );
      assert.equal(buttons.includes("Disable"), mayWrite);
      assert.equal(await page.evaluate("sessionStorage.length + localStorage.length"), 0);
      assert.equal(
        await page.evaluate(`location.href.includes('${token}') || document.cookie !== ''`),
        false,
      );
      await page.close();
    }
  });
});
