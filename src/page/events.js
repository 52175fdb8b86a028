import { call } from "./api.js";
import { html } from "./vendor/lit-html.js";
import { count, duration, messageOf, moment, size, some } from "./words.js";

/** @typedef {{ code: string, says: string, remedy: string, runbook: string }} Reason */

/** @type {{ functions: any[], deliveries: any[], schedules: any[], routes: any[] } | undefined} */
let told;
/** @type {string | undefined} */
let problem;
let askedAt = Number.NEGATIVE_INFINITY;

/** Asynchronous events, schedules and routes. @param {() => void} onChange */
export function eventsView(onChange) {
  load(onChange);
  return html`<h1>Events and schedules</h1>
    ${problem === undefined ? "" : html`<p class="bad" role="alert">${problem}</p>`}
    ${told === undefined ? html`<p class="soft">Loading.</p>` : html`${events(told.functions)}${deliveries(told.deliveries)}${schedules(told.schedules)}${routes(told.routes)}`}`;
}

/** @param {() => void} onChange */
function load(onChange) {
  if (performance.now() - askedAt < 5_000) return;
  askedAt = performance.now();
  const ask = (/** @type {string} */ what) => call("GET", `millrace/v1/${what}`);
  Promise.all([ask("events"), ask("schedules"), ask("routes")]).then(
    ([queue, timed, front]) => {
      told = {
        functions: queue.functions ?? [],
        deliveries: queue.deliveries ?? [],
        schedules: timed.schedules ?? [],
        routes: front.routes ?? [],
      };
      problem = undefined;
      onChange();
    },
    (error) => {
      problem = messageOf(error);
      onChange();
    },
  );
}

/** @param {any[]} all */
function events(all) {
  const head = html`<h2>Asynchronous events</h2>`;
  if (all.length === 0) return html`<section>${head}<p class="soft">No function has events.</p></section>`;
  return html`<section>${head}${table(
    "Asynchronous events",
    ["Function", "#In the queue", "#Bytes", "#Oldest", "#Run here", "#Tried again", "#Given up", "Why"],
    all.map((each) => [
      each.function,
      count(each.items),
      size(each.bytes),
      each.items === 0 ? "–" : duration(each.oldestMs),
      count(each.held),
      each.retried === 0 ? "0" : `${count(each.retried)}, up to ${some(each.attempts, "try", "tries")}`,
      html`<span class=${each.givenUp > 0 ? "bad" : ""}>${count(each.givenUp)}</span>`,
      reasons(each.reasons),
    ]),
  )}<p class="soft">Given up: since the processes began. <code>millrace events list FUNCTION</code> names those that wait.</p></section>`;
}

/** @param {any[]} all */
function deliveries(all) {
  if (all.length === 0) return "";
  return html`<section><h2>Ends of events that wait for their destination</h2>${table(
    "Deliveries",
    ["Destination", "#Records", "#Oldest", "Last problem"],
    all.map((each) => [each.destination, count(each.items), duration(each.oldestMs), each.problem ?? ""]),
  )}</section>`;
}

/** @param {any[]} all */
function schedules(all) {
  const head = html`<h2>Schedules</h2>`;
  if (all.length === 0) return html`<section>${head}<p class="soft">There are no schedules.</p></section>`;
  return html`<section>${head}${table(
    "Schedules",
    ["Schedule", "When", "State", "Invokes", "Next five ticks", "#Missed", "Why"],
    all.map((each) => [
      html`${each.name}${each.kind === "rule" ? html` <span class="soft">rule</span>` : ""}`,
      html`<code>${each.expression}</code> <span class="soft">${each.timezone}</span>`,
      each.state === "ENABLED"
        ? html`<span class="good">● enabled</span>`
        : html`<span class="soft">○ disabled</span>`,
      each.target,
      each.nextTicks.length === 0
        ? "none"
        : html`<ul class="plain">${each.nextTicks.map((/** @type {string} */ tick) => html`<li><time datetime=${tick}>${moment(Date.parse(tick))}</time></li>`)}</ul>`,
      html`<span class=${each.missed > 0 ? "bad" : ""}>${count(each.missed)}</span>`,
      reasons(each.reasons),
    ]),
  )}</section>`;
}

/** @param {any[]} all */
function routes(all) {
  const head = html`<h2>Routes</h2>`;
  if (all.length === 0) return html`<section>${head}<p class="soft">There are no routes.</p></section>`;
  return html`<section>${head}${table(
    "Routes",
    ["Route", "Shape", "Address", "Methods", "Invokes", "Why"],
    all.map((each) => [
      each.name,
      each.shape,
      html`<span class="ids">${each.url}</span>`,
      each.methods.length === 0 ? "all" : each.methods.join(", "),
      each.functionName,
      reasons(each.reasons),
    ]),
  )}</section>`;
}

/** What is in its way, and what to do. Never by colour alone. @param {Reason[]} all */
function reasons(all) {
  if (all.length === 0) return html`<span class="good">● fine</span>`;
  return all.map(
    ({ code, says, remedy }) =>
      html`<details><summary><span class="warn">▲ ${code}</span></summary><p>${says}</p><p><b>To do:</b> ${remedy}</p></details>`,
  );
}

/** A name that begins with # is of a column of numbers. @param {string} label @param {string[]} names @param {unknown[][]} rows */
function table(label, names, rows) {
  const isNumber = names.map((name) => name.startsWith("#"));
  return html`<div class="wide" tabindex="0" role="region" aria-label=${label}><table>
    <thead><tr>${names.map((name, at) => html`<th scope="col" class=${isNumber[at] ? "num" : ""}>${name.replace(/^#/, "")}</th>`)}</tr></thead>
    <tbody>${rows.map(([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((cell, at) => html`<td class=${isNumber[at + 1] ? "num" : ""}>${cell}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}
