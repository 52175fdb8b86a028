import { call } from "./api.js";
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
  return html`<h1>Streams and queues</h1>
    <p class="soft">Those that Millrace keeps itself.</p>
    ${problem === undefined ? "" : html`<p class="bad" role="alert">${problem}</p>`}
    ${
      streams.length + queues.length === 0
        ? html`<p class="soft">There are none.</p>`
        : html`<div class="wide"><table>
      <thead><tr><th scope="col">Name</th><th scope="col">Kind</th><th scope="col">Holds</th><th scope="col"></th></tr></thead>
      <tbody>
        ${streams.map(
          (
            stream,
          ) => html`<tr><th scope="row">${stream.name}</th><td>stream</td><td>${stream.openShards} open shards</td>
          <td class="actions"><button @click=${look("streams", stream.name)}>Look</button> <a href=${`#/try/stream/${stream.name}`}>Send</a></td></tr>`,
        )}
        ${queues.map(
          (
            queue,
          ) => html`<tr><th scope="row">${queue.name}</th><td>${queue.isFifo ? "FIFO queue" : "queue"}</td>
          <td>${Object.entries(queue)
            .filter(([, value]) => typeof value === "number")
            .map(([name, value]) => `${name} ${value}`)
            .join(", ")}</td>
          <td class="actions"><button @click=${look("queues", queue.name)}>Look</button> <a href=${`#/try/queue/${queue.name}`}>Send</a></td></tr>`,
        )}
      </tbody></table></div>`
    }
    ${peeked === undefined ? "" : html`<section><h2>${peeked.name}</h2><pre>${bounded(JSON.stringify(peeked.items, undefined, 2))}</pre></section>`}`;
}

/** @param {() => void} onChange */
function load(onChange) {
  if (performance.now() - askedAt < 3_000) return;
  askedAt = performance.now();
  Promise.all([call("GET", "millrace/v1/streams"), call("GET", "millrace/v1/queues")]).then(
    ([found, others]) => {
      streams = found.streams ?? [];
      queues = others.queues ?? [];
      onChange();
    },
    (error) => {
      problem = messageOf(error);
      onChange();
    },
  );
}
