import { call } from "./api.js";
import { ask } from "./dialog.js";
import { live, may } from "./live.js";
import { stateMark } from "./overview.js";
import { draw } from "./plot.js";
import { inSight, space } from "./rows.js";
import { html } from "./vendor/lit-html.js";
import { count, duration, messageOf, moment, some } from "./words.js";

/** @typedef {import("./live.js").Mapping} Mapping */

/** The server gives so many of the shards in one answer: those in sight, and some before and behind. */
const SHARDS_MAX = 200;
const LOOK_MS = 2_000;

/** @typedef {{ uuid: string, at: number, from: number, detail: any, problem: string | undefined }} Seen */
/** @type {Seen} */
let seen = { uuid: "", at: 0, from: 0, detail: undefined, problem: undefined };

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
    ${errors(detail.errors)}
    <section><h2>Last 15 minutes</h2><div class="plots"><div class="plot" id="plot-rates"></div><div class="plot" id="plot-age"></div></div></section>
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
  const from = shardsWanted(uuid);
  if (seen.uuid === uuid && now - seen.at < LOOK_MS && seen.from === from) return;
  seen =
    seen.uuid === uuid
      ? { ...seen, at: now, from }
      : { uuid, at: now, from, detail: undefined, problem: undefined };
  call("GET", `millrace/v1/live/mappings/${uuid}?from=${from}&max=${SHARDS_MAX}`).then(
    (detail) => {
      if (seen.uuid !== uuid || seen.from !== from) return;
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

/** The shard that an answer is to begin with, so that it has all that are in sight. @param {string} uuid */
function shardsWanted(uuid) {
  if (seen.uuid !== uuid || seen.detail === undefined) return 0;
  const { from, to } = inSight("shards", seen.detail.shardsTotal);
  if (from >= seen.from && to <= seen.from + SHARDS_MAX) return seen.from;
  return Math.max(0, from - SHARDS_MAX / 4);
}

/** @param {any} detail */
function causes({ parts, partsLeftOut, errors }) {
  const wordsOf = (/** @type {string | undefined} */ id) =>
    errors.find((/** @type {any} */ error) => error.id === id)?.message;
  if (parts.length === 0)
    return html`<section><h2>What holds it up</h2><p class="good">● Nothing.</p></section>`;
  return html`<section><h2>What holds it up</h2>
    <div class="wide" tabindex="0" role="region" aria-label="What holds it up"><table>
      <thead><tr><th scope="col">Part</th><th scope="col">Because</th><th scope="col">Since</th><th scope="col">To do</th><th scope="col">Process</th></tr></thead>
      <tbody>${parts.map(
        (/** @type {any} */ part) => html`<tr>
          <th scope="row" class="ids">${part.part}</th>
          <td>${part.says}${wordsOf(part.errorId) === undefined ? "" : html`: <b class="words">${wordsOf(part.errorId)}</b>`}</td>
          <td>${duration(live.nowMs - part.sinceMs)}</td>
          <td>${part.toDo} <span class="soft">${part.runbook}</span></td>
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
  return html`<section><h2>What the function said</h2>${all.map(
    (error, index) => html`<details class="error" ?open=${index === 0}>
      <summary><code>${error.id}</code> <b>${error.errorType}</b> ${error.message ?? ""}
        <span class="soft">${some(error.count, "time")}, last ${moment(error.lastSeenMs)}</span></summary>
      ${error.stack === undefined ? "" : html`<pre tabindex="0">${error.stack}</pre>`}
      ${error.logTail === undefined || error.logTail === "" ? "" : html`<h3>What it printed</h3><pre tabindex="0">${error.logTail}</pre>`}
      ${error.message === undefined ? html`<p class="soft">Texts are shown to callers with the role inspect, where errorDetails is full.</p>` : ""}
    </details>`,
  )}</section>`;
}

/** What a lane is in: a sign, never a colour alone. @type {Record<string, [sign: string, says: string]>} */
const LANES = {
  idle: ["·", "idle"],
  waits: ["–", "waits"],
  runs: ["▶", "runs"],
  retries: ["↻", "failed, tried again"],
  blocked: ["■", "blocked"],
};

/** @param {any} detail */
function shards({ shards, shardsFrom, shardsTotal, shardsLeftOut, lagMaxMs }) {
  if (shardsTotal === 0) return "";
  const { from, to } = inSight("shards", shardsTotal);
  const rows = Array.from({ length: to - from }, (_, index) =>
    shardRow(shards[from + index - shardsFrom], from + index, lagMaxMs),
  );
  return html`<section><h2>Shards</h2>
    <p class="soft lanes">Lanes: ${Object.entries(LANES).map(([state, [sign, says]]) => html`<span class=${`lane ${state}`}>${sign}</span> ${says} `)}</p>
    <div class="wide" tabindex="0" role="region" aria-label="Shards"><table class="rows shards" aria-rowcount=${shardsTotal + 1}>
      <thead><tr aria-rowindex="1"><th scope="col" class="name">Shard</th><th scope="col" class="behind">Behind</th><th scope="col" class="cells">Lanes</th><th scope="col" class="word">Reading</th><th scope="col" class="num">In hand</th><th scope="col" class="num">Settled</th><th scope="col" class="name">Process</th></tr></thead>
      <tbody id="shards">${space(from, 7)}${rows}${space(shardsTotal - to, 7)}</tbody>
    </table></div>
    ${shardsLeftOut > 0 ? html`<p class="soft">The worst are shown; ${some(shardsLeftOut, "better one is", "better ones are")} left out.</p>` : ""}
  </section>`;
}

/** @param {any} shard @param {number} index @param {number} lagMaxMs */
function shardRow(shard, index, lagMaxMs) {
  if (shard === undefined)
    return html`<tr aria-rowindex=${index + 2}><th scope="row" class="soft">…</th><td colspan="6"></td></tr>`;
  return html`<tr aria-rowindex=${index + 2}>
    <th scope="row" title=${shard.shardId}>${shard.shardId}</th>
    <td><meter min="0" max=${Math.max(1, lagMaxMs)} .value=${shard.lagMs ?? 0} aria-label=${`behind by ${duration(shard.lagMs)}`}></meter> ${duration(shard.lagMs)}</td>
    <td>${lanes(shard.lanes)}</td>
    <td>${shard.reading}</td>
    <td class="num">${count(shard.bufferedRecords)}</td>
    <td class="num">${count(shard.settledRecords)}</td>
    <td title=${shard.process}>${shard.process}</td>
  </tr>`;
}

/** One cell each. @param {string[]} states */
function lanes(states) {
  const busy = states.flatMap((state, lane) =>
    state === "idle" ? [] : [`lane ${lane} ${LANES[state]?.[1]}`],
  );
  const says = busy.length === 0 ? "all lanes idle" : busy.join(", ");
  return html`<span class="lanes" role="img" aria-label=${says} title=${says}>${states.map((state) => html`<span class=${`lane ${state}`}>${LANES[state]?.[0]}</span>`)}</span>`;
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
