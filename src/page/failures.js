import { call } from "./api.js";
import { ask, tell } from "./dialog.js";
import { may } from "./live.js";
import { html } from "./vendor/lit-html.js";
import { bounded, count, messageOf, moment, size, some } from "./words.js";

/** @type {{ query: string, failures: any[], next: string | undefined, remarks: any[], problem: string | undefined, isLoading: boolean }} */
let list = { query: "?", failures: [], next: undefined, remarks: [], problem: undefined, isLoading: false };
const ROWS = 100;
/** @type {{ id: string, shown: any, problem: string | undefined } | undefined} */
let open;
/** @type {any[]} */
let redrives = [];
/** @type {any} */
let plan;
let watching = false;
/** Records a second that a redrive takes at most; 0: as many as go. */
let rate = 0;
/** @type {Record<string, string>} */
let filter = {};

/** @param {string} mapping @param {() => void} onChange */
export function failuresView(mapping, onChange) {
  if (mapping !== "" && filter["mapping"] === undefined) filter = { ...filter, mapping };
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== "")).toString();
  if (query !== list.query) load(query, onChange);
  void watch(onChange);
  return html`
    <h1>Failures</h1>
    <p class="soft">What was given up, where its destination keeps it, and how to send it again.</p>
    ${filterBar(onChange)}
    ${list.problem === undefined ? "" : html`<p class="bad" role="alert">${list.problem}</p>`}
    ${groups()}
    ${redriveBar(onChange)}
    ${redrivesTable(onChange)}
    ${table(onChange)}
  `;
}

/** @param {string} query @param {() => void} onChange @param {string} [after] */
function load(query, onChange, after) {
  if (after === undefined) {
    list = { query, failures: [], next: undefined, remarks: [], problem: undefined, isLoading: true };
    plan = undefined;
  }
  const more = after === undefined ? "" : `&after=${encodeURIComponent(after)}`;
  call("GET", `millrace/v1/failures?max=${ROWS}&${query}${more}`).then(
    ({ failures, next, remarks }) => {
      if (list.query !== query) return;
      list = {
        ...list,
        failures: [...list.failures, ...failures],
        next,
        remarks: remarks ?? [],
        isLoading: false,
      };
      onChange();
    },
    (error) => {
      if (list.query !== query) return;
      list = { ...list, problem: messageOf(error), isLoading: false };
      onChange();
    },
  );
}

const FIELDS = [
  ["mapping", "Mapping"],
  ["error", "Error id"],
  ["shard", "Shard"],
  ["key", "Key"],
  ["since", "Since, such as 2h"],
  ["condition", "Condition"],
];

/** @param {() => void} onChange */
function filterBar(onChange) {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    filter = Object.fromEntries([...data].map(([name, value]) => [name, String(value).trim()]));
    onChange();
  };
  return html`<form class="filters" @submit=${submit}>
    ${FIELDS.map(
      ([name = "", label]) =>
        html`<label>${label}<input name=${name} .value=${filter[name] ?? ""} autocomplete="off" /></label>`,
    )}
    <button>Filter</button>
  </form>`;
}

/** By error, those with most first. */
function groups() {
  /** @type {Map<string, { type: string, message: string, count: number, failures: number }>} */
  const byError = new Map();
  for (const { errorId = "–", errorType = "", errorMessage = "", condition, count } of list.failures) {
    const group = byError.get(errorId) ?? {
      type: errorType || condition,
      message: errorMessage,
      count: 0,
      failures: 0,
    };
    byError.set(errorId, { ...group, count: group.count + count, failures: group.failures + 1 });
  }
  if (byError.size === 0) return "";
  const sorted = [...byError].sort(([, a], [, b]) => b.count - a.count).slice(0, 10);
  return html`<ul class="groups">${sorted.map(
    ([id, group]) => html`<li><code>${id}</code> <b>${group.type}</b> ${group.message}
      <span class="soft">${some(group.failures, "failure")}, ${some(group.count, "record")}</span></li>`,
  )}</ul>`;
}

/** @param {() => void} onChange */
function redriveBar(onChange) {
  if (!may("write") || list.failures.length === 0) return "";
  const dryRun = async () => {
    try {
      plan = (await call("POST", "millrace/v1/redrives", { ...wanted(), dryRun: true })).plan;
      return true;
    } catch (error) {
      tell(messageOf(error));
      return false;
    } finally {
      onChange();
    }
  };
  const onRate = (/** @type {InputEvent} */ event) => {
    rate = Number(/** @type {HTMLInputElement} */ (event.target).value);
  };
  // Nobody is asked before it is said what would happen.
  const begin = async () => {
    if (!(await dryRun())) return;
    ask({
      title: "Redrive",
      text: `What the filter selects goes through the function again, in order per key: ${planText(plan)}.`,
      action: "Redrive",
      run: async () => {
        await call("POST", "millrace/v1/redrives", rate > 0 ? { ...wanted(), rate } : wanted());
        await askRedrives(onChange);
      },
    });
  };
  return html`<p class="actions">
    <button @click=${dryRun}>Dry run</button><button class="main" @click=${begin}>Redrive</button>
    <label class="rate">at most <input id="rate" type="number" min="1" .value=${rate > 0 ? String(rate) : ""} @input=${onRate} /> records a second</label>
    ${plan === undefined ? "" : html`<span>${planText(plan)}</span>`}
  </p>`;
}

function wanted() {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));
}

/** What a dry run says. @param {any} counts */
function planText({ failures, records, keys, shards, bytes, taken = 0, fromMs, untilMs }) {
  const parts = [
    some(failures, "failure"),
    some(records, "record"),
    some(keys, "key"),
    some(shards, "shard"),
    size(bytes ?? 0),
  ];
  if (taken > 0) parts.push(`${count(taken)} of them in another redrive`);
  if (fromMs !== undefined && untilMs !== undefined)
    parts.push(`given up from ${moment(fromMs)} to ${moment(untilMs)}`);
  return parts.join(", ");
}

/** How a redrive stands: what is none is not said. @param {Record<string, number>} counts */
function countsText(counts) {
  const told = Object.entries(counts).filter(
    ([name, value]) => value > 0 && name !== "selected" && name !== "loaded",
  );
  return told.length === 0
    ? "nothing yet"
    : told.map(([name, value]) => `${count(value)} ${COUNTS[name] ?? name}`).join(", ");
}

/** @type {Record<string, string>} */
const COUNTS = {
  waiting: "waiting",
  started: "under way",
  done: "done",
  failed: "failed again",
  held: "held behind one that failed",
  gone: "gone from where they were kept",
  uncertain: "uncertain: a process ended on the way",
};

/** @param {string} state */
function isUnderWay(state) {
  return state === "running" || state === "planned";
}

/** @param {string} id */
function stateOf(id) {
  return redrives.find((redrive) => redrive.id === id)?.state ?? "";
}

/** As long as the view is open: others begin redrives too. @param {() => void} onChange */
async function watch(onChange) {
  if (watching) return;
  watching = true;
  try {
    while (location.hash.startsWith("#/failures")) {
      await askRedrives(onChange);
      await refresh(onChange);
      const pauseMs = redrives.some(({ state }) => isUnderWay(state)) ? 1_000 : 3_000;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  } finally {
    watching = false;
  }
}

/** The newest failures, where no further ones were asked for. @param {() => void} onChange */
async function refresh(onChange) {
  const { query, isLoading, failures } = list;
  if (query === "?" || isLoading || failures.length > ROWS) return;
  try {
    const found = await call("GET", `millrace/v1/failures?max=${ROWS}&${query}`);
    if (list.query !== query || list.failures.length > ROWS) return;
    list = { ...list, failures: found.failures, next: found.next, problem: undefined };
  } catch (error) {
    if (list.query === query) list = { ...list, problem: messageOf(error) };
  }
  onChange();
}

/** @param {() => void} onChange */
async function askRedrives(onChange) {
  const before = redrives;
  try {
    redrives = (await call("GET", "millrace/v1/redrives")).redrives ?? [];
  } catch {
    // The list of failures says what is wrong.
    return;
  }
  // What was open is not any more: the list is read anew.
  if (before.some(({ id, state }) => isUnderWay(state) && !isUnderWay(stateOf(id)))) list.query = "?";
  onChange();
}

/** @param {() => void} onChange */
function redrivesTable(onChange) {
  if (redrives.length === 0) return "";
  const change = (/** @type {string} */ id, /** @type {string} */ what) => async () => {
    await call("POST", `millrace/v1/redrives/${id}/${what}`).catch((error) => tell(messageOf(error)));
    await askRedrives(onChange);
  };
  return html`<section><h2>Redrives</h2><div class="wide" tabindex="0" role="region" aria-label="Redrives"><table>
    <thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Progress</th><th scope="col">Counts</th><th scope="col"></th></tr></thead>
    <tbody>${redrives.map(({ id, name, state, counts = {} }) => {
      const selected = counts.selected ?? 0;
      const over =
        (counts.done ?? 0) +
        (counts.failed ?? 0) +
        (counts.held ?? 0) +
        (counts.gone ?? 0) +
        (counts.uncertain ?? 0);
      return html`<tr>
        <th scope="row">${name ?? id}</th><td>${state}</td>
        <td><progress max=${Math.max(1, selected)} .value=${over} aria-label="progress"></progress> ${over}/${selected}</td>
        <td>${countsText(counts)}</td>
        <td class="actions">${
          !may("write")
            ? ""
            : html`
          ${state === "running" ? html`<button @click=${change(id, "pause")}>Pause</button>` : ""}
          ${state === "paused" ? html`<button @click=${change(id, "resume")}>Resume</button>` : ""}
          ${state === "running" || state === "paused" ? html`<button @click=${change(id, "cancel")}>Cancel</button>` : ""}`
        }</td>
      </tr>`;
    })}</tbody></table></div></section>`;
}

/** @param {() => void} onChange */
function table(onChange) {
  if (list.failures.length === 0)
    return html`<p class="soft">${list.isLoading ? "Loading." : "Nothing was given up."}</p>`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="Failures"><table>
    <thead><tr><th scope="col">When</th><th scope="col">Mapping</th><th scope="col">Error</th><th scope="col">Shard</th><th scope="col" class="num">Records</th><th scope="col">State</th><th scope="col"></th></tr></thead>
    <tbody>${list.failures.map((failure) => failureRow(failure, onChange))}</tbody>
  </table></div>
  ${list.next === undefined ? "" : html`<button @click=${() => load(list.query, onChange, list.next)}>More</button>`}`;
}

/** @param {any} failure @param {() => void} onChange */
function failureRow(failure, onChange) {
  const isOpen = open?.id === failure.id;
  return html`<tr>
      <td>${moment(failure.atMs)}</td><th scope="row">${failure.mapping}</th>
      <td><code>${failure.errorId ?? ""}</code> ${failure.errorType ?? failure.condition}</td>
      <td class="ids">${failure.shardId}</td><td class="num">${failure.count} <span class="soft">${size(failure.bytes ?? 0)}</span></td>
      <td>${failure.state}</td>
      <td>${may("inspect") ? html`<button aria-expanded=${isOpen} @click=${() => show(failure.id, onChange)}>${isOpen ? "Close" : "Look"}</button>` : ""}</td>
    </tr>
    ${isOpen ? html`<tr><td colspan="7">${content()}</td></tr>` : ""}`;
}

/** @param {string} id @param {() => void} onChange */
function show(id, onChange) {
  if (open?.id === id) {
    open = undefined;
    return onChange();
  }
  open = { id, shown: undefined, problem: undefined };
  onChange();
  call("GET", `millrace/v1/failures/${encodeURIComponent(id)}?decode=true`).then(
    (shown) => {
      if (open?.id === id) open = { id, shown, problem: undefined };
      onChange();
    },
    (error) => {
      if (open?.id === id) open = { id, shown: undefined, problem: messageOf(error) };
      onChange();
    },
  );
}

function content() {
  if (open?.problem !== undefined) return html`<p class="bad">${open.problem}</p>`;
  if (open?.shown === undefined) return html`<p class="soft">Loading.</p>`;
  const { errorType, errorMessage, stack, records = [], remark } = open.shown;
  return html`
    ${errorMessage === undefined ? "" : html`<p><b>${errorType}</b> ${errorMessage}</p>`}
    ${stack === undefined ? "" : html`<pre tabindex="0">${stack}</pre>`}
    ${remark === undefined ? "" : html`<p class="soft">${remark}</p>`}
    <pre tabindex="0">${bounded(JSON.stringify(records, undefined, 2))}</pre>`;
}
