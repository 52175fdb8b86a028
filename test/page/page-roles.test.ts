/** `npm run test:page`: who sees which button, and that the server refuses what has none. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Browser } from "../load/browser/browser.ts";
import { complaintsOf, goTo, seriousFlaws, signIn, until, VIEWS } from "./look.ts";
import { SeededRun, TOKENS } from "./seeded-run.ts";

type Caller = keyof typeof TOKENS;

/** Buttons and links that do something or show content, by view. */
const ACTIONS: Readonly<Record<string, readonly (readonly [label: string, callers: readonly Caller[]])[]>> = {
  mapping: [["Disable", ["writer"]]],
  failures: [
    ["Look", ["inspector", "writer"]],
    ["Dry run", ["writer"]],
    ["Redrive", ["writer"]],
  ],
  functions: [
    ["Try", ["writer"]],
    ["Stop calls", ["writer"]],
  ],
  sources: [
    ["Look", ["inspector", "writer"]],
    ["Send", ["sender", "writer"]],
  ],
  try: [
    ["Invoke", ["writer"]],
    ["Send", ["sender", "writer"]],
    ["Test", ["reader", "inspector", "sender", "writer"]],
  ],
};

const MAPPING = "2015-03-31/event-source-mappings/UUID";
const ROUTES: readonly (readonly [method: string, path: string, callers: readonly Caller[]])[] = [
  ["PUT", MAPPING, ["writer"]],
  ["DELETE", MAPPING, ["writer"]],
  ["POST", "millrace/v1/redrives", ["writer"]],
  ["POST", "millrace/v1/redrives/none/pause", ["writer"]],
  ["POST", "millrace/v1/redrives/none/resume", ["writer"]],
  ["POST", "millrace/v1/redrives/none/cancel", ["writer"]],
  ["PUT", "2017-10-31/functions/none/concurrency", ["writer"]],
  ["POST", "millrace/v1/rollouts/none/stop", ["writer"]],
  ["POST", "2015-03-31/functions/none/invocations", ["writer"]],
  ["POST", "millrace/v1/streams/none/records", ["sender", "writer"]],
  ["POST", "millrace/v1/queues/none/messages", ["sender", "writer"]],
  ["PUT", "millrace/v1/load-tests/none", ["sender", "writer"]],
  ["GET", "millrace/v1/failures/none", ["inspector", "writer"]],
  ["GET", "millrace/v1/streams/none/records", ["inspector", "writer"]],
  ["GET", "millrace/v1/queues/none/messages", ["inspector", "writer"]],
  ["DELETE", "millrace/v1/queues/none/messages", ["writer"]],
];

describe("roles", { timeout: 600_000 }, () => {
  let browser: Browser;
  let run: SeededRun;
  let url: string;

  before(async () => {
    browser = await Browser.start();
    const started = await SeededRun.start({ hasCredentials: true, processes: 1 });
    run = started.run;
    [url = ""] = started.urls;
    await run.put(url, "bills", "ada", { id: 1 }, TOKENS.writer);
    await run.put(url, "orders", "ada", { id: 1 }, TOKENS.writer);
    await untilGivenUp(url);
  });
  after(async () => {
    await browser.close();
    await run.end();
  });

  for (const caller of Object.keys(TOKENS) as Caller[]) {
    test(`as ${caller} one sees the buttons that work, and no other`, async (t) => {
      const page = await browser.open(`${url}/#/mappings`, { width: 1280, height: 800, scheme: "dark" });
      t.after(() => page.close());
      await signIn(page, TOKENS[caller]);
      await until(page, "document.querySelector('tbody th a') !== null");
      const uuid = await page.evaluate<string>("document.querySelector('tbody th a').hash.split('/').at(-1)");
      for (const view of [...VIEWS, "mapping"]) {
        await goTo(page, view === "mapping" ? `mappings/${uuid}` : view);
        const found = await page.evaluate<string[]>(
          "[...document.querySelectorAll('main button, main td.actions a')].map((each) => each.innerText)",
        );
        for (const [label, callers] of ACTIONS[view] ?? [])
          assert.equal(
            found.includes(label),
            callers.includes(caller),
            `${view}: ${label} of ${found.join()}`,
          );
        assert.deepEqual(await seriousFlaws(page), [], `${view} as ${caller}`);
      }
      const seesTexts = caller === "inspector" || caller === "writer";
      const hasText = "document.querySelector('main').textContent.includes('no price for order')";
      if (seesTexts) await until(page, hasText);
      assert.equal(await page.evaluate<boolean>(hasText), seesTexts);
      // Before its user had signed in it was told to ask for that.
      const complaints = complaintsOf(page, [url]).filter(
        (complaint) => !/403.*\/millrace\/v1\/me/.test(complaint),
      );
      assert.deepEqual([...complaints, ...(await page.refused())], []);
    });
  }

  test("the server refuses what has no button, whoever asks", async () => {
    for (const [method, path, callers] of ROUTES) {
      for (const caller of Object.keys(TOKENS) as Caller[]) {
        const { status } = await fetch(
          `${url}/${path.replace("UUID", "00000000-0000-4000-8000-00000000ffff")}`,
          {
            method,
            headers: {
              origin: url,
              authorization: `Bearer ${TOKENS[caller]}`,
              "content-type": "application/json",
            },
            ...(method === "GET" ? {} : { body: "{}" }),
          },
        );
        const isRefused = status === 403;
        assert.equal(isRefused, !callers.includes(caller), `${method} ${path} as ${caller}: ${status}`);
      }
    }
  });

  test("the log says who has looked at what a function said, once for an open page, and never what", async () => {
    const looks = (await run.logged(0, /"action":"ShowErrors"/)).split("\n");
    const callers = new Set(looks.map((line) => String(JSON.parse(line).caller)));
    assert.deepEqual([...callers].toSorted(), ["inspector", "writer"]);
    for (const line of looks) assert.doesNotMatch(line, /no price/);
  });
});

async function untilGivenUp(url: string): Promise<void> {
  const headers = { authorization: `Bearer ${TOKENS.reader}` };
  const deadline = AbortSignal.timeout(60_000);
  for (;;) {
    const response = await fetch(`${url}/millrace/v1/failures`, { headers, signal: deadline });
    const { failures } = (await response.json()) as { readonly failures: readonly unknown[] };
    if (failures.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
