/** `npm run test:page`: the page over two processes of one PostgreSQL, and when the one that serves it is killed. */
import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { Browser } from "../load/browser/browser.ts";
import { type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { click, complaintsOf, loaded, seriousFlaws, until } from "./look.ts";
import { SeededRun } from "./seeded-run.ts";

describe("two processes on one PostgreSQL", { timeout: 600_000 }, () => {
  const parts: { browser?: Browser; postgres?: PostgresServer } = {};
  let run: SeededRun;
  let urls: readonly string[];

  before(async () => {
    parts.postgres = await startPostgres();
    parts.browser = await Browser.start();
    const store = await parts.postgres.createDatabase();
    ({ run, urls } = await SeededRun.start({ hasCredentials: false, processes: 2, store }));
    await run.put(urls[0] ?? "", "bills", "ada", { id: 1 });
  });
  after(async () => {
    await parts.browser?.close();
    await run.end();
    await parts.postgres?.close();
  });

  const open = async (t: TestContext, at: number, hash: string) => {
    assert.ok(parts.browser !== undefined);
    const look = { width: 1280, height: 800, scheme: "light" } as const;
    const page = await parts.browser.open(`${urls[at]}/#/${hash}`, look);
    t.after(() => page.close());
    await until(page, "document.body.innerText.includes('● live')");
    return page;
  };

  test("either one's page shows both, what stands still, and what the function said", async (t) => {
    for (const at of [0, 1]) {
      const page = await open(t, at, "mappings");
      await until(
        page,
        "document.querySelector('.need')?.innerText.includes('no price for order 1') === true",
      );
      assert.match(await page.evaluate("document.querySelector('.need').innerText"), /billing/);
      await page.evaluate("location.hash = '#/processes'; true");
      await loaded(page);
      await until(
        page,
        "[...document.querySelectorAll('tbody tr')].filter((row) => row.innerText.includes('● lives')).length === 2",
      );
      assert.deepEqual(await seriousFlaws(page), []);
      assert.deepEqual([...complaintsOf(page, urls), ...(await page.refused())], []);
    }
  });

  test("what one page changes the other shows", async (t) => {
    const [first, second] = [await open(t, 0, "mappings"), await open(t, 1, "mappings")];
    const link = "[...document.querySelectorAll('tbody th a')].find((a) => a.innerText === 'orders')";
    await first.front();
    await until(first, `${link} !== undefined`);
    await first.evaluate(`${link}.click(); true`);
    for (const [action, state] of [
      ["Disable", "Disabled"],
      ["Enable", "●"],
    ] as const) {
      await first.front();
      await click(first, action);
      await click(first, action, "dialog");
      await second.front();
      const row =
        "[...document.querySelectorAll('tbody tr')].find((r) => r.innerText.includes('local stream/orders'))";
      await until(second, `${row}?.innerText.includes('${state}') === true`);
    }
  });

  test("a page whose process is killed says so, the other one's goes on, and it is right again", async (t) => {
    const [page, other] = [await open(t, 0, "mappings"), await open(t, 1, "processes")];
    await run.kill(0);
    await page.front();
    await until(page, "document.querySelector('header').innerText.includes('reconnecting')");
    await other.front();
    await until(other, "document.querySelector('main').innerText.includes('▲ gone')");
    await run.process(false, Number(new URL(urls[0] ?? "").port));
    await page.front();
    await until(page, "document.querySelector('header').innerText.includes('● live')");
    await until(page, "document.querySelector('.need')?.innerText.includes('billing') === true");
  });
});
