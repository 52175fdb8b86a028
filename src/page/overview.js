import { live, may, ratesOf } from "./live.js";
import { setEnabled } from "./mapping.js";
import { html } from "./vendor/lit-html.js";
import { count, duration, rate, some } from "./words.js";

/** @typedef {import("./live.js").Mapping} Mapping */

const ROWS_MAX = 100;
let filter = "";
let from = 0;

/** @param {() => void} onChange */
export function overviewView(onChange) {
  const wanted = filter.toLowerCase();
  const all = [...live.mappings.values()]
    .filter(({ name, source, functionName }) =>
      `${name} ${source} ${functionName}`.toLowerCase().includes(wanted),
    )
    .sort((a, b) => gravity(b) - gravity(a) || (a.name < b.name ? -1 : 1));
  from = Math.min(from, Math.max(0, all.length - 1));
  const shown = all.slice(from, from + ROWS_MAX);
  return html`
    ${needYou()}
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
            from = 0;
            onChange();
          }}
        />
      </label>
    </div>
    ${
      all.length === 0
        ? html`<p class="soft">${live.mappings.size === 0 ? "There are no mappings." : "No mapping matches."}</p>`
        : table(shown)
    }
    ${pages(all.length, onChange)}
  `;
}

/** @param {Mapping[]} mappings */
function table(mappings) {
  return html`<div class="wide"><table>
    <thead><tr>
      <th scope="col">Mapping</th><th scope="col">Source</th><th scope="col">Function</th><th scope="col">State</th>
      <th scope="col" class="num">In /s</th><th scope="col" class="num">Done /s</th><th scope="col" class="num">Failed /s</th>
      <th scope="col" class="num">Oldest</th><th scope="col" class="num">Given up</th>
    </tr></thead>
    <tbody>${mappings.map(row)}</tbody>
  </table></div>`;
}

/** @param {Mapping} mapping */
function row(mapping) {
  const { uuid, name, source, functionName, counts, oldestAgeMs } = mapping;
  const rates = ratesOf(uuid);
  return html`<tr>
    <th scope="row"><a href=${`#/mappings/${uuid}`}>${name}</a></th>
    <td class="ids" title=${source}>${shortSource(source)}</td>
    <td class="ids" title=${functionName}>${functionName}</td>
    <td>${stateMark(mapping)}</td>
    <td class="num">${rate(rates?.read)}</td>
    <td class="num">${rate(rates?.done)}</td>
    <td class=${`num ${(rates?.failed ?? 0) > 0 ? "bad" : ""}`}>${rate(rates?.failed)}</td>
    <td class="num">${oldestAgeMs === 0 ? "0" : duration(oldestAgeMs)}</td>
    <td class=${`num ${counts.givenUp > 0 ? "bad" : ""}`}>${count(counts.givenUp)}</td>
  </tr>`;
}

/** Never by colour alone. @param {Mapping} mapping */
export function stateMark({ state, problem, heldUp, caughtUp }) {
  if (problem !== undefined) return html`<span class="mark bad">▲ cannot start</span>`;
  if (heldUp > 0) return html`<span class="mark warn">■ held up</span>`;
  if (state !== "Enabled") return html`<span class="mark soft">○ ${state}</span>`;
  return html`<span class="mark good">● ${caughtUp ? "caught up" : "Enabled"}</span>`;
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
function cause({ problem, worst }) {
  if (problem !== undefined) return html`cannot start: ${problem}`;
  if (worst === undefined) return "";
  return html`${worst.part}: ${worst.says} (${duration(live.nowMs - worst.sinceMs)}). <span class="soft">${worst.toDo}</span>`;
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

/** @param {number} length @param {() => void} onChange */
function pages(length, onChange) {
  if (length <= ROWS_MAX) return "";
  const go = (/** @type {number} */ to) => () => {
    from = to;
    onChange();
  };
  return html`<p class="actions">
    <button ?disabled=${from === 0} @click=${go(Math.max(0, from - ROWS_MAX))}>Before</button>
    <span>${from + 1} to ${Math.min(length, from + ROWS_MAX)} of ${length}</span>
    <button ?disabled=${from + ROWS_MAX >= length} @click=${go(from + ROWS_MAX)}>Next</button>
  </p>`;
}
