import { call } from "./api.js";
import { ask } from "./dialog.js";
import { may } from "./live.js";
import { html } from "./vendor/lit-html.js";
import { messageOf } from "./words.js";

/** @type {any[] | undefined} */
let functions;
/** @type {any[]} */
let drift = [];
/** @type {string | undefined} */
let problem;
/** @type {any[]} */
let environments = [];
let askedAt = Number.NEGATIVE_INFINITY;

/** @param {() => void} onChange */
export function functionsView(onChange) {
  load(onChange);
  return html`<h1>Functions</h1>
    ${problem === undefined ? "" : html`<p class="bad" role="alert">${problem}</p>`}
    ${functions === undefined ? html`<p class="soft">Loading.</p>` : table(functions)}
    ${environments.map(panel)}
    ${drift.length === 0 ? "" : html`<section><h2>Not as declared</h2><pre tabindex="0">${JSON.stringify(drift, undefined, 2)}</pre></section>`}`;
}

/** @param {() => void} onChange */
function load(onChange) {
  if (performance.now() - askedAt < 5_000) return;
  askedAt = performance.now();
  Promise.all([
    call("GET", "2015-03-31/functions/"),
    call("GET", "millrace/v1/drift"),
    call("GET", "millrace/v1/environments"),
  ]).then(
    ([listed, drifted, running]) => {
      functions = listed.Functions ?? [];
      environments = running.functions ?? [];
      drift = drifted.drift ?? [];
      problem = undefined;
      onChange();
    },
    (error) => {
      problem = messageOf(error);
      functions ??= [];
      onChange();
    },
  );
}

/** @param {any[]} all */
function table(all) {
  if (all.length === 0) return html`<p class="soft">There are no functions.</p>`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="Functions"><table>
    <thead><tr><th scope="col">Function</th><th scope="col">Version</th><th scope="col">State</th><th scope="col" class="num">Time-out</th><th scope="col"></th></tr></thead>
    <tbody>${all.map(
      (fn) => html`<tr>
        <th scope="row">${fn.FunctionName}</th><td>${fn.Version ?? ""}</td><td>${fn.State ?? ""}</td>
        <td class="num">${fn.Timeout === undefined ? "" : `${fn.Timeout} s`}</td>
        <td class="actions">${may("write") ? html`<a href=${`#/try/${fn.FunctionName}`}>Try</a> <button @click=${() => stop(fn.FunctionName)}>Stop calls</button>` : ""}</td>
      </tr>`,
    )}</tbody>
  </table></div>`;
}

/** What bounds the folder of an environment. @type {Record<string, string>} */
const STORAGE_TEXTS = {
  watched: "storage watched",
  hard: "storage bounded by the wrapper",
  unbounded: "storage not bounded",
};

/** @param {{ isolation: string, storage: string }} separation */
function separationText({ isolation, storage }) {
  return `${isolation} (${STORAGE_TEXTS[storage]})`;
}

/** What one function runs in, over all processes. @param {any} told */
function panel(told) {
  const states = Object.entries(told.environments).filter(([, count]) => Number(count) > 0);
  const of = told.memoryMb === undefined ? "" : ` of ${told.memoryMb} MB`;
  const memory = told.memoryMaxMb === undefined ? "not seen" : `${told.memoryMaxMb} MB at most${of}`;
  const init = told.lastInitMs === undefined ? "" : `, the last in ${Math.round(told.lastInitMs)} ms`;
  const separations = told.separations.map(separationText);
  return html`<section aria-label=${`Environments of ${told.function}`}><h2>${told.function}</h2>
    <dl>
      <dt>Environments</dt><dd>${states.length === 0 ? "none" : states.map(([state, count]) => `${count} ${state}`).join(", ")}</dd>
      <dt>Cold starts</dt><dd>${told.coldStartsLately} in the last five minutes, ${told.coldStarts} in all${init}</dd>
      <dt>Isolation</dt><dd>${separations.length === 0 ? "not open" : separations.join(", ")}</dd>
      <dt>Resets</dt><dd>${told.resets}</dd>
      <dt>Memory</dt><dd>${memory}</dd>
    </dl>
    ${told.failing === undefined ? "" : html`<p class="bad" role="alert">It cannot start: ${told.failing.errorType}, ${Math.round(told.failing.agoMs / 1000)} s ago. See <code>millrace logs ${told.function}</code>.</p>`}
  </section>`;
}

/** @param {string} name */
function stop(name) {
  ask({
    title: `Stop calls of ${name}`,
    text: "Its reserved concurrency becomes 0: nothing calls it any more, mappings wait and lose nothing. Its declaration brings the old value back.",
    action: `Stop ${name}`,
    isDangerous: true,
    run: () => call("PUT", `2017-10-31/functions/${name}/concurrency`, { ReservedConcurrentExecutions: 0 }),
  });
}
