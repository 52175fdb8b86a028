import { call } from "./api.js";
import { may } from "./live.js";
import { html } from "./vendor/lit-html.js";
import { bounded, messageOf } from "./words.js";

/** @type {any[]} */
let streams = [];
/** @type {any[]} */
let queues = [];
/** @type {string | undefined} */
let problem;
/** @type {{ name: string, items: any[] } | undefined} */
let peeked;
let isLoaded = false;
let askedAt = Number.NEGATIVE_INFINITY;

/** @param {() => void} onChange */
export function sourcesView(onChange) {
  load(onChange);
  const look = (/** @type {string} */ kind, /** @type {string} */ name) => async () => {
    try {
      const found = await call(
        "GET",
        `millrace/v1/${kind}/${encodeURIComponent(name)}/${kind === "streams" ? "records" : "messages"}`,
      );
      peeked = { name, items: found.records ?? found.messages ?? [] };
    } catch (error) {
      problem = messageOf(error);
    }
    onChange();
  };
  const actions = (/** @type {"streams" | "queues"} */ kind, /** @type {string} */ name) => html`
    ${may("inspect") ? html`<button @click=${look(kind, name)}>Look</button>` : ""}
    ${may("send") ? html`<a href=${`#/try/${kind === "streams" ? "stream" : "queue"}/${name}`}>Send</a>` : ""}`;
  return html`<h1>Streams and queues</h1>
    <p class="soft">Those that Millrace keeps itself.</p>
    ${problem === undefined ? "" : html`<p class="bad" role="alert">${problem}</p>`}
    ${
      streams.length + queues.length === 0
        ? html`<p class="soft">${isLoaded || problem !== undefined ? "There are none." : "Loading."}</p>`
        : html`<div class="wide" tabindex="0" role="region" aria-label="Streams and queues"><table>
      <thead><tr><th scope="col">Name</th><th scope="col">Kind</th><th scope="col">Holds</th><th scope="col"></th></tr></thead>
      <tbody>
        ${streams.map(
          (
            stream,
          ) => html`<tr><th scope="row">${stream.name}</th><td>stream</td><td>${stream.openShards} open shards</td>
          <td class="actions">${actions("streams", stream.name)}</td></tr>`,
        )}
        ${queues.map(
          (
            queue,
          ) => html`<tr><th scope="row">${queue.name}</th><td>${queue.isFifo ? "FIFO queue" : "queue"}</td>
          <td>${Object.entries(queue)
            .filter(([, value]) => typeof value === "number")
            .map(([name, value]) => `${name} ${value}`)
            .join(", ")}</td>
          <td class="actions">${actions("queues", queue.name)}</td></tr>`,
        )}
      </tbody></table></div>`
    }
    ${peeked === undefined ? "" : html`<section><h2>${peeked.name}</h2><pre tabindex="0">${bounded(JSON.stringify(peeked.items, undefined, 2))}</pre></section>`}`;
}

/** @param {() => void} onChange */
function load(onChange) {
  if (performance.now() - askedAt < 3_000) return;
  askedAt = performance.now();
  Promise.all([call("GET", "millrace/v1/streams"), call("GET", "millrace/v1/queues")]).then(
    ([found, others]) => {
      streams = found.streams ?? [];
      queues = others.queues ?? [];
      isLoaded = true;
      problem = undefined;
      onChange();
    },
    (error) => {
      problem = messageOf(error);
      onChange();
    },
  );
}
