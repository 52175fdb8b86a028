import { call } from "./api.js";
import { live, may, ratesOf } from "./live.js";
import { setEnabled } from "./mapping.js";
import { inSight, space } from "./rows.js";
import { html } from "./vendor/lit-html.js";
import { count, duration, moment, rate, some } from "./words.js";

/** @typedef {import("./live.js").Mapping} Mapping */

let filter = "";

const SPARKS_MS = 15_000;
const SPARK = { width: 96, height: 22, points: 30 };
/** By mapping: what was done a second in the last quarter of an hour, oldest first. @type {Record<string, number[]>} */
let sparks = {};
let sparksAt = Number.NEGATIVE_INFINITY;

/** @param {() => void} onChange */
function loadSparks(onChange) {
  if (performance.now() - sparksAt < SPARKS_MS) return;
  sparksAt = performance.now();
  call("GET", "millrace/v1/live/sparks").then(
    (answer) => {
      sparks = answer.sparks ?? {};
      onChange();
    },
    // The line at the top says that the server is away.
    () => undefined,
  );
}

/** A line of each mapping's own measure, the newest at its right end. @param {number[]} [points] */
function spark(points = []) {
  if (points.length < 2) return "";
  const most = Math.max(...points);
  const step = SPARK.width / (SPARK.points - 1);
  const left = SPARK.width - step * (points.length - 1);
  const at = points.map((point, index) => {
    const y = SPARK.height - 1 - (most === 0 ? 0 : (point / most) * (SPARK.height - 2));
    return `${(left + index * step).toFixed(1)},${y.toFixed(1)}`;
  });
  const says = `done a second: ${rate(points.at(-1))} now, ${rate(most)} at most`;
  return html`<svg role="img" aria-label=${says} viewBox=${`0 0 ${SPARK.width} ${SPARK.height}`} width=${SPARK.width} height=${SPARK.height}><polyline points=${at.join(" ")}></polyline></svg>`;
}

/** @param {() => void} onChange */
export function overviewView(onChange) {
  onWords = onChange;
  if (live.mappings.size > 0) loadSparks(onChange);
  const wanted = filter.toLowerCase();
  const all = [...live.mappings.values()]
    .filter(({ name, source, functionName }) =>
      `${name} ${source} ${functionName}`.toLowerCase().includes(wanted),
    )
    .sort((a, b) => gravity(b) - gravity(a) || (a.name < b.name ? -1 : 1));
  return html`
    ${needYou()}
    ${live.loadTests.map(loadTest)}
    <div class="bar">
      <h1>Mappings</h1>
      <label class="search">
        <span class="hidden">Filter mappings</span>
        <input
          id="filter"
          type="search"
          placeholder="Filter ( / )"
          .value=${filter}
          @input=${(/** @type {InputEvent} */ event) => {
            filter = /** @type {HTMLInputElement} */ (event.target).value;
            onChange();
          }}
        />
      </label>
    </div>
    ${
      all.length === 0
        ? html`<p class="soft">${live.mappings.size === 0 ? "There are no mappings." : "No mapping matches."}</p>`
        : table(all)
    }
  `;
}

/** @param {Mapping[]} mappings */
function table(mappings) {
  const { from, to } = inSight("mappings", mappings.length);
  return html`<div class="wide" tabindex="0" role="region" aria-label="Mappings"><table class="rows mappings" aria-rowcount=${mappings.length + 1}>
    <thead><tr aria-rowindex="1">
      <th scope="col" class="name">Mapping</th><th scope="col" class="more">Source</th><th scope="col" class="more">Function</th><th scope="col" class="state">State</th>
      <th scope="col" class="num rate">In /s</th><th scope="col" class="num more">Done /s</th><th scope="col" class="num rate">Failed /s</th>
      <th scope="col" class="num">Oldest</th><th scope="col" class="num more">Given up</th><th scope="col" class="spark more">15 min</th>
    </tr></thead>
    <tbody id="mappings">${space(from, 10)}${mappings.slice(from, to).map((mapping, index) => row(mapping, from + index))}${space(mappings.length - to, 10)}</tbody>
  </table></div>`;
}

/** @param {Mapping} mapping @param {number} index */
function row(mapping, index) {
  const { uuid, name, source, functionName, counts, oldestAgeMs } = mapping;
  const rates = ratesOf(uuid);
  return html`<tr aria-rowindex=${index + 2}>
    <th scope="row" title=${name}><a href=${`#/mappings/${uuid}`}>${name}</a></th>
    <td class="more" title=${source}>${shortSource(source)}</td>
    <td class="more" title=${functionName}>${functionName}</td>
    <td>${stateMark(mapping)}</td>
    <td class="num rate">${rate(rates?.read)}</td>
    <td class="num more">${rate(rates?.done)}</td>
    <td class=${`num rate ${(rates?.failed ?? 0) > 0 ? "bad" : ""}`}>${rate(rates?.failed)}</td>
    <td class="num">${oldestAgeMs === 0 ? "0" : duration(oldestAgeMs)}</td>
    <td class=${`num more ${counts.givenUp > 0 ? "bad" : ""}`}>${count(counts.givenUp)}</td>
    <td class="spark more">${spark(sparks[uuid])}</td>
  </tr>`;
}

/** Never by colour alone. @param {Mapping} mapping */
export function stateMark({ state, problem, heldUp, caughtUp }) {
  if (problem !== undefined) return html`<span class="mark bad">▲ cannot start</span>`;
  if (heldUp > 0) return html`<span class="mark warn">■ held up</span>`;
  if (state !== "Enabled") return html`<span class="mark soft">○ ${state}</span>`;
  return html`<span class="mark good">● ${caughtUp ? "caught up" : "Enabled"}</span>`;
}

const LOAD_STATES = {
  running: ["soft", "▶ runs"],
  passed: ["good", "● passed"],
  failed: ["bad", "▲ failed"],
};

/** A load test that runs, or has just ended. @param {import("./live.js").LoadTest} test */
function loadTest(test) {
  const [mark, says] = LOAD_STATES[/** @type {keyof typeof LOAD_STATES} */ (test.state)] ?? [
    "soft",
    test.state,
  ];
  /** @type {[label: string, value: string, isBad?: boolean][]} */
  const figures = [
    ["Sent /s", rate(test.sentPerSecond)],
    ["Delivered /s", rate(test.deliveredPerSecond)],
    ["Not settled", count(test.lag)],
    ["In flight", count(test.inFlight)],
    ["p99", duration(test.p99Ms)],
    ["Failed calls", count(test.failures)],
    ["Violations", count(test.violations), test.violations > 0],
  ];
  return html`<section class="load" aria-label=${`Load test ${test.name}`}>
    <h2>Load test ${test.name} <span class=${`mark ${mark}`}>${says}</span></h2>
    <p><progress max=${Math.max(1, test.totalMs)} .value=${Math.min(test.elapsedMs, test.totalMs)} aria-label="sent so far"></progress>
      ${duration(test.elapsedMs)} of ${duration(test.totalMs)}</p>
    <dl class="facts">${figures.map(([label, value, isBad]) => html`<div><dt>${label}</dt><dd class=${isBad ? "bad" : ""}>${value}</dd></div>`)}</dl>
  </section>`;
}

/** What stands still or cannot start, worst first: each with what to do. */
function needYou() {
  const troubled = [...live.mappings.values()]
    .filter((mapping) => gravity(mapping) > 0)
    .sort((a, b) => gravity(b) - gravity(a) || (a.worst?.sinceMs ?? 0) - (b.worst?.sinceMs ?? 0));
  if (troubled.length === 0) return html`<section class="need" aria-live="polite"></section>`;
  return html`<section class="need" aria-live="polite" aria-label="Needs you">
    <h2>▲ ${some(troubled.length, "mapping needs", "mappings need")} you</h2>
    <ul>${troubled.slice(0, 5).map(
      (mapping) => html`<li>
        <a href=${`#/mappings/${mapping.uuid}`}><b>${mapping.name}</b></a>
        ${cause(mapping)}
        ${may("write") && mapping.problem === undefined && !mapping.isFromManifest && mapping.state === "Enabled" ? html`<button @click=${() => setEnabled(mapping, false)}>Disable</button>` : ""}
      </li>`,
    )}</ul>
    ${troubled.length > 5 ? html`<p class="soft">and ${troubled.length - 5} more</p>` : ""}
  </section>`;
}

/** @param {Mapping} mapping */
function cause({ uuid, problem, worst }) {
  if (problem !== undefined) return html`cannot start: ${problem}`;
  if (worst === undefined) return "";
  const words = wordsOf(uuid, worst);
  return html`<span class="ids">${worst.part}</span> for ${duration(live.nowMs - worst.sinceMs)}: ${worst.says}
    ${words === undefined ? "" : html`<pre tabindex="0" class="words">${words}</pre>`}
    <span class="todo"><b>To do:</b> ${worst.toDo}</span>`;
}

const WORDS_MS = 10_000;
/** By mapping: what its function said last. @type {Map<string, { at: number, errors: any[] }>} */
const said = new Map();
let onWords = () => {};

/**
 * The function's own words, for those who may see them. They are not in what is sent all the time: who has looked at
 * them stands in the log.
 * @param {string} uuid @param {import("./live.js").Cause} worst
 */
function wordsOf(uuid, { errorId }) {
  if (errorId === undefined || !may("inspect")) return undefined;
  const known = said.get(uuid);
  const now = performance.now();
  if (known === undefined || now - known.at > WORDS_MS) {
    said.set(uuid, { at: now, errors: known?.errors ?? [] });
    call("GET", `millrace/v1/live/mappings/${uuid}?max=0`).then(
      ({ errors }) => {
        said.set(uuid, { at: now, errors });
        onWords();
      },
      // The mapping's own view says what is wrong.
      () => undefined,
    );
  }
  return said.get(uuid)?.errors.find(({ id }) => id === errorId)?.message;
}

/** @param {Mapping} mapping */
function gravity({ problem, heldUp }) {
  if (problem !== undefined) return 2;
  return heldUp > 0 ? 1 : 0;
}

/** @param {string} source */
function shortSource(source) {
  const [, , service, , , name] = source.split(":", 6).length === 6 ? source.split(":") : [];
  return service === undefined || name === undefined
    ? source
    : `${service} ${name.split("/").slice(0, 2).join("/")}`;
}

export function processesView() {
  return html`<h1>Processes</h1>
    ${live.problem === undefined ? "" : html`<p class="bad" role="alert">Other processes cannot be asked: ${live.problem}</p>`}
    <div class="wide" tabindex="0" role="region" aria-label="Processes"><table>
      <thead><tr><th scope="col">Process</th><th scope="col">Is</th><th scope="col">Began</th><th scope="col">Said</th><th scope="col" class="num">Mappings</th><th scope="col" class="num">Shards</th></tr></thead>
      <tbody>${live.processes.map(
        (each) => html`<tr>
          <th scope="row" class="ids">${each.processId}${each.isHere ? html` <span class="soft">(answers this page)</span>` : ""}</th>
          <td>${each.standing === "lives" ? html`<span class="good">● lives</span>` : html`<span class="bad">▲ ${each.standing}</span>`}</td>
          <td>${moment(each.startedMs)}</td>
          <td>${each.isHere ? "now" : `${duration(live.nowMs - each.saidMs)} ago`}</td>
          <td class="num">${each.mappings}</td><td class="num">${each.shards}</td>
        </tr>`,
      )}</tbody>
    </table></div>`;
}
