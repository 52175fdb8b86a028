import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "../load/browser/browser.ts";

/** Pictures are kept here, so that a person can look at what the tests looked at. */
const OUT = join(import.meta.dirname, "../../.data/page");

/** What people look at after a test: `.data/page/NAME.png`. */
export function keepPicture(name: string, picture: Uint8Array): void {
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, `${name}.png`), picture);
}
export const VIEWS = [
  "mappings",
  "failures",
  "functions",
  "rollouts",
  "events",
  "sources",
  "processes",
  "try",
] as const;
const UNTIL_MS_MAX = 60_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function loaded(page: Page): Promise<void> {
  await until(
    page,
    "document.querySelector('main h1') !== null && !document.body.innerText.includes('Loading.')",
  );
}

const HEADS: Readonly<Record<string, string>> = {
  mappings: "Mappings",
  failures: "Failures",
  functions: "Functions",
  rollouts: "Rollouts",
  events: "Events and schedules",
  sources: "Streams and queues",
  processes: "Processes",
  try: "Try",
};

/** By the address, as a link does; resolves when the view has all that it shows. */
export async function goTo(page: Page, view: string): Promise<void> {
  await page.evaluate(`location.hash = '#/${view}'; true`);
  const head = HEADS[view];
  if (head !== undefined) await until(page, `document.querySelector('main h1')?.innerText === '${head}'`);
  else await until(page, "document.querySelector('main .crumbs') !== null");
  await loaded(page);
}

/** As somebody would who may do so. */
export async function signIn(page: Page, token: string): Promise<void> {
  await until(page, "document.querySelector('input[name=token]') !== null");
  await page.evaluate(`
    document.querySelector('input[name=token]').value = '${token}';
    document.querySelector('form').requestSubmit(); true`);
  await until(page, "document.body.innerText.includes('● live')");
}

/** The button with this text within the place, once it is there. */
export async function click(page: Page, text: string, place = "main"): Promise<void> {
  const button = `[...document.querySelectorAll('${place} button')].find((b) => b.innerText === '${text}' && !b.disabled)`;
  await until(page, `${button} !== undefined`);
  await page.evaluate(`${button}.click(); true`);
}

/** Asks the page until it is so; the page's text stands in the failure. */
export async function until(page: Page, expression: string): Promise<void> {
  const deadline = AbortSignal.timeout(UNTIL_MS_MAX);
  while (!(await page.evaluate<boolean>(expression))) {
    if (deadline.aborted) {
      const text = await page.evaluate<string>("document.body.innerText");
      throw new Error(`never so: ${expression}\n${text}\n${page.complaints.join("\n")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Errors, warnings, what the policy refused, and requests to others than the server. */
export function complaintsOf(page: Page, urls: readonly string[]): readonly string[] {
  return page.complaints.filter(
    (complaint) => !urls.some((url) => complaint.startsWith(`the page asked for ${url}/`)),
  );
}

/** What axe calls serious or critical. */
export async function seriousFlaws(page: Page): Promise<readonly string[]> {
  await page.evaluate(`${AXE}; true`);
  await page.evaluate(`
    window.flaws = undefined;
    axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => {
      window.flaws = violations.filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html.slice(0, 200)).join(" | "));
    }, (error) => { window.flaws = [String(error)]; });
    true`);
  await until(page, "window.flaws !== undefined");
  return await page.evaluate<string[]>("window.flaws");
}
