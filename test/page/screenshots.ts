/**
 * `npm run screenshots`: pictures of the page over a seeded run, into docs/images. Look at them before they are kept:
 * no test does.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Browser, type Page } from "../load/browser/browser.ts";
import { SeededRun } from "./seeded-run.ts";

const OUT = join(import.meta.dirname, "../../docs/images");
const BYTES_MAX = 150_000;
/** Rates and plots need some time to have something to show. */
const FLOW_SECONDS = 40;
const SECOND_MS = 1_000;
const LOOK = { width: 1280, height: 800, scheme: "light" } as const;

const browser = await Browser.start();
const { run, urls } = await SeededRun.start({ hasCredentials: false, processes: 2 });
const [url = ""] = urls;
try {
  mkdirSync(OUT, { recursive: true });
  await run.put(url, "bills", "ada", { id: 1 });
  const page = await browser.open(`${url}/#/mappings`, LOOK);
  for (let second = 0; second < FLOW_SECONDS; second++) {
    for (let index = 0; index < 25; index++)
      await run.put(url, "orders", `key-${index}`, orderOf(second, index));
    await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
  }
  await keep(page, "page.png");
  await page.evaluate(
    "[...document.querySelectorAll('tbody th a')].find((a) => a.innerText === 'billing').click()",
  );
  await new Promise((resolve) => setTimeout(resolve, 3 * SECOND_MS));
  await page.evaluate("document.querySelector('details.error')?.setAttribute('open', '')");
  await keep(page, "mapping.png");
} finally {
  await browser.close();
  await run.end();
}

/** One in fifty has no price. */
function orderOf(second: number, index: number): object {
  return (second + index) % 50 === 0
    ? { id: `${second}-${index}` }
    : { id: `${second}-${index}`, price: index };
}

async function keep(page: Page, name: string): Promise<void> {
  const picture = await page.screenshot();
  if (picture.length > BYTES_MAX)
    throw new Error(`${name} has ${picture.length} bytes, of ${BYTES_MAX} at most`);
  writeFileSync(join(OUT, name), picture);
  process.stdout.write(`docs/images/${name}: ${picture.length} bytes\n`);
}
