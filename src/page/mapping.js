import { call } from "./api.js";
import { ask } from "./dialog.js";
import { live, may } from "./live.js";
import { stateMark } from "./overview.js";
import { draw } from "./plot.js";
import { html } from "./vendor/lit-html.js";
import { count, duration, messageOf, moment, some } from "./words.js";

/** @typedef {import("./live.js").Mapping} Mapping */

const SHARDS_MAX = 200;
const LOOK_MS = 2_000;

/** @type {{ uuid: string, at: number, detail: any, problem: string | undefined }} */
let seen = { uuid: "", at: 0, detail: undefined, problem: undefined };

/** @param {string} uuid @param {() => void} onChange */
export function mappingView(uuid, onChange) {
  const mapping = live.mappings.get(uuid);
  if (mapping === undefined) {
    return html`<h1>Mapping</h1><p>There is no mapping ${uuid}. <a href="#/mappings">All mappings</a></p>`;
  }
  look(uuid, onChange);
  const detail = seen.uuid === uuid ? seen.detail : undefined;
  return html`
    <p class="crumbs"><a href="#/mappings">Mappings</a> ›</p>
    <div class="bar"><h1>${mapping.name}</h1>${stateMark(mapping)}${actions(mapping)}</div>
    <dl class="facts">
      <div><dt>Source</dt><dd class="ids">${mapping.source}</dd></div>
      <div><dt>Function</dt><dd class="ids">${mapping.functionName}</dd></div>
      <div><dt>Last result</dt><dd>${mapping.lastProcessingResult}</dd></div>
      <div><dt>Oldest open</dt><dd>${duration(mapping.oldestAgeMs)}</dd></div>
      <div><dt>Given up</dt><dd>${count(mapping.counts.givenUp)} <a href=${`#/failures/${mapping.name}`}>see</a></dd></div>
      <div><dt>Works in</dt><dd>${some(mapping.processes, "process", "processes")}, ${some(mapping.shards, "shard")}</dd></div>
    </dl>
    ${mapping.problem === undefined ? "" : html`<p class="bad" role="alert">It cannot start: ${mapping.problem}</p>`}
    ${seen.problem === undefined ? "" : html`<p class="bad" role="alert">${seen.problem}</p>`}
    ${detail === undefined ? html`<p class="soft">Loading.</p>` : inDetail(detail)}
  `;
}

/** @param {any} detail */
function inDetail(detail) {
  return html`
    ${causes(detail)}
    <section><h2>Last 15 minutes</h2><div class="plots"><div class="plot" id="plot-rates"></div><div class="plot" id="plot-age"></div></div></section>
    ${errors(detail.errors)}
    ${shards(detail)}
  `;
}

/** To be called when the view stands in the page. */
export function drawPlots() {
  const history = seen.detail?.history;
  if (history === undefined) return;
  for (const kind of /** @type {const} */ (["rates", "age"])) {
    const element = document.getElementById(`plot-${kind}`);
    if (element !== null) draw(element, kind, history);
  }
}

/** @param {string} uuid @param {() => void} onChange */
function look(uuid, onChange) {
  const now = performance.now();
  if (seen.uuid === uuid && now - seen.at < LOOK_MS) return;
  seen = seen.uuid === uuid ? { ...seen, at: now } : { uuid, at: now, detail: undefined, problem: undefined };
  call("GET", `millrace/v1/live/mappings/${uuid}`).then(
    (detail) => {
      if (seen.uuid !== uuid) return;
      seen = { ...seen, detail, problem: undefined };
      onChange();
    },
    (error) => {
      if (seen.uuid !== uuid) return;
      seen = { ...seen, problem: messageOf(error) };
      onChange();
    },
  );
}

/** @param {any} detail */
function causes({ parts, partsLeftOut }) {
  if (parts.length === 0)
    return html`<section><h2>What holds it up</h2><p class="good">● Nothing.</p></section>`;
  return html`<section><h2>What holds it up</h2>
    <div class="wide"><table>
      <thead><tr><th scope="col">Part</th><th scope="col">Because</th><th scope="col">Since</th><th scope="col">To do</th><th scope="col">Process</th></tr></thead>
      <tbody>${parts.map(
        (/** @type {any} */ part) => html`<tr>
          <th scope="row" class="ids">${part.part}</th>
          <td>${part.says} <span class="soft">(${part.code})</span></td>
          <td>${duration(live.nowMs - part.sinceMs)}</td>
          <td>${part.toDo}</td>
          <td class="ids">${part.process}</td>
        </tr>`,
      )}</tbody>
    </table></div>
    ${partsLeftOut > 0 ? html`<p class="soft">${some(partsLeftOut, "better part is", "better parts are")} left out.</p>` : ""}
  </section>`;
}

/** @param {any[]} all */
function errors(all) {
  if (all.length === 0) return "";
  return html`<section><h2>Errors</h2>${all.map(
    (error) => html`<details class="error">
      <summary><code>${error.id}</code> <b>${error.errorType}</b> ${error.message ?? ""}
        <span class="soft">${some(error.count, "time")}, last ${moment(error.lastSeenMs)}</span></summary>
      ${error.stack === undefined ? "" : html`<pre>${error.stack}</pre>`}
      ${error.logTail === undefined || error.logTail === "" ? "" : html`<h3>What it printed</h3><pre>${error.logTail}</pre>`}
      ${error.message === undefined ? html`<p class="soft">Texts are shown to callers with the role inspect, where errorDetails is full.</p>` : ""}
    </details>`,
  )}</section>`;
}

/** @param {any} detail */
function shards({ shards, shardsLeftOut }) {
  if (shards.length === 0) return "";
  const lag = Math.max(1, ...shards.map((/** @type {any} */ shard) => shard.lagMs ?? 0));
  return html`<section><h2>Shards</h2>
    <div class="wide"><table>
      <thead><tr><th scope="col">Shard</th><th scope="col">Behind</th><th scope="col">Reading</th><th scope="col" class="num">In hand</th><th scope="col" class="num">Settled</th><th scope="col">Process</th></tr></thead>
      <tbody>${shards.slice(0, SHARDS_MAX).map(
        (/** @type {any} */ shard) => html`<tr>
          <th scope="row" class="ids">${shard.shardId}</th>
          <td><meter min="0" max=${lag} .value=${shard.lagMs ?? 0} aria-label=${`behind by ${duration(shard.lagMs)}`}></meter> ${duration(shard.lagMs)}</td>
          <td>${shard.reading}</td>
          <td class="num">${count(shard.bufferedRecords)}</td>
          <td class="num">${count(shard.settledRecords)}</td>
          <td class="ids">${shard.process}</td>
        </tr>`,
      )}</tbody>
    </table></div>
    ${shardsLeftOut > 0 ? html`<p class="soft">The worst are shown; ${some(shardsLeftOut, "better one is", "better ones are")} left out.</p>` : ""}
  </section>`;
}

/** @param {Mapping} mapping */
function actions(mapping) {
  if (!may("write")) return "";
  const isOn = mapping.state === "Enabled" || mapping.state === "Creating" || mapping.state === "Enabling";
  return html`<span class="actions">
    <button @click=${() => setEnabled(mapping, !isOn)}>${isOn ? "Disable" : "Enable"}</button>
    ${mapping.isFromManifest ? "" : html`<button class="danger" @click=${() => remove(mapping)}>Delete</button>`}
  </span>`;
}

/** @param {Mapping} mapping @param {boolean} isEnabled */
export function setEnabled({ uuid, name }, isEnabled) {
  ask({
    title: `${isEnabled ? "Enable" : "Disable"} ${name}`,
    text: isEnabled
      ? "It goes on where it stopped."
      : "It stops reading. What runs is brought to its end, and its place is kept.",
    action: isEnabled ? "Enable" : "Disable",
    run: () => call("PUT", `2015-03-31/event-source-mappings/${uuid}`, { Enabled: isEnabled }),
  });
}

/** @param {Mapping} mapping */
function remove({ uuid, name, counts }) {
  ask({
    title: `Delete ${name}`,
    text: `Its place in the source is forgotten: made anew, it begins at its starting position. It has read ${some(counts.read, "record")}.`,
    action: `Delete ${name}`,
    isDangerous: true,
    run: async () => {
      await call("DELETE", `2015-03-31/event-source-mappings/${uuid}`);
      location.hash = "#/mappings";
    },
  });
}
