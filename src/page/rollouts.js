import { call } from "./api.js";
import { ask } from "./dialog.js";
import { may } from "./live.js";
import { draw } from "./plot.js";
import { html } from "./vendor/lit-html.js";
import { messageOf, moment } from "./words.js";

const LOOK_MS = 2_000;

/** @type {{ rollouts: any[], former: any[] } | undefined} */
let all;
/** The one that is looked at. @type {any} */
let shown;
/** @type {import("./plot.js").Point[]} */
let points = [];
/** @type {string | undefined} */
let problem;
let askedAt = Number.NEGATIVE_INFINITY;
let askedFor = "";

/** New versions on their way to all traffic, or one of them. @param {string} id @param {() => void} onChange */
export function rolloutsView(id, onChange) {
  load(id, onChange);
  const trouble = problem === undefined ? "" : html`<p class="bad" role="alert">${problem}</p>`;
  if (id !== "")
    return html`<p class="crumbs"><a href="#/rollouts">Rollouts</a> ›</p>${trouble}${detail(id)}`;
  const isLoading = all === undefined && problem === undefined;
  return html`<h1>Rollouts</h1>${trouble}
    ${isLoading ? html`<p class="soft">Loading.</p>` : ""}${all === undefined ? "" : list(all)}`;
}

/** To be called when the view stands in the page. */
export function drawRollout() {
  const element = document.getElementById("plot-versions");
  if (element !== null && points.length > 0) draw(element, "versions", points);
}

/** @param {string} id @param {() => void} onChange */
function load(id, onChange) {
  if (askedFor === id && performance.now() - askedAt < LOOK_MS) return;
  if (askedFor !== id) {
    shown = undefined;
    points = [];
    problem = undefined;
  }
  askedFor = id;
  askedAt = performance.now();
  call("GET", id === "" ? "millrace/v1/rollouts" : `millrace/v1/rollouts/${encodeURIComponent(id)}`).then(
    (answer) => {
      if (askedFor !== id) return;
      problem = undefined;
      if (id === "") all = answer;
      else {
        shown = answer;
        points = (answer.points ?? []).map((/** @type {any} */ point) => ({ ...point, at: point.atMs }));
      }
      onChange();
    },
    (error) => {
      if (askedFor !== id) return;
      problem = messageOf(error);
      onChange();
    },
  );
}

/** @param {{ rollouts: any[], former: any[] }} told */
function list({ rollouts, former }) {
  if (rollouts.length === 0) return html`<p class="soft">No alias had a rollout.</p>`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="Rollouts"><table>
      <thead><tr><th scope="col">Rollout</th><th scope="col">Alias</th><th scope="col">Versions</th><th scope="col" class="num">Share</th><th scope="col">State</th><th scope="col"></th></tr></thead>
      <tbody>${rollouts.map(
        (each) => html`<tr>
          <th scope="row"><a href=${`#/rollouts/${each.id}`}>${each.id}</a></th>
          <td>${each.function}:${each.alias}</td><td>${each.from} → ${each.to}</td>
          <td class="num">${percent(each.share)}</td><td>${each.status}${each.reason === undefined ? "" : html`<br><span class="soft">${each.reason}</span>`}</td>
          <td class="actions">${stopButton(each)}</td>
        </tr>`,
      )}</tbody>
    </table></div>
    ${former.length === 0 ? "" : html`<section><h2>Before</h2>${events(former)}</section>`}`;
}

/** @param {string} id */
function detail(id) {
  if (shown === undefined) return problem === undefined ? html`<p class="soft">Loading.</p>` : "";
  const lines = shown.text ?? [];
  return html`
    <div class="bar"><h1>${id}</h1><span class=${shown.status === "Failed" ? "bad" : "soft"}>${shown.status}</span>${stopButton(shown)}</div>
    <dl class="facts">
      <div><dt>Alias</dt><dd class="ids">${shown.function}:${shown.alias}</dd></div>
      <div><dt>Versions</dt><dd>${shown.from} → ${shown.to}</dd></div>
      <div><dt>Share</dt><dd>${percent(shown.share)}</dd></div>
      <div><dt>Plan</dt><dd>${planText(shown.plan)}</dd></div>
      <div><dt>Goes back at</dt><dd class="ids">${JSON.stringify(shown.alarms)}</dd></div>
    </dl>
    <section><h2>Why</h2>${lines.slice(0, lines.length - shown.events.length).map((/** @type {string} */ line) => html`<p>${line}</p>`)}</section>
    <section><h2>Both versions, calls in a minute</h2>${points.length === 0 ? html`<p class="soft">This process has seen no calls of it.</p>` : html`<div class="plots"><div class="plot" id="plot-versions"></div></div>`}</section>
    <section><h2>Steps</h2>${events(shown.events)}</section>`;
}

/** @param {any[]} happened */
function events(happened) {
  return html`<div class="wide" tabindex="0" role="region" aria-label="Steps"><table>
    <thead><tr><th scope="col">When</th><th scope="col">Versions</th><th scope="col" class="num">Share</th><th scope="col">State</th></tr></thead>
    <tbody>${happened.map(
      (event) => html`<tr>
        <th scope="row">${moment(Date.parse(event.at))}</th><td>${event.function === undefined ? "" : `${event.function}:${event.alias} `}${event.from} → ${event.to}</td>
        <td class="num">${percent(event.share)}</td><td>${event.status}${event.reason === undefined ? "" : `: ${event.reason}`}</td>
      </tr>`,
    )}</tbody>
  </table></div>`;
}

/** @param {any} plan */
function planText({ kind, percent: step, minutes }) {
  if (kind === "allAtOnce") return "all at once";
  return kind === "canary" ? `${step} %, all after ${minutes} min` : `${step} % more every ${minutes} min`;
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(share * 1_000) / 10} %`;
}

/** @param {any} rollout */
function stopButton({ id, status, function: fn, alias, from }) {
  if (status !== "InProgress" || !may("write")) return "";
  const stop = () =>
    ask({
      title: `Stop the rollout ${id}`,
      text: `All traffic of ${fn}:${alias} goes back to version ${from}, at once. What runs of the new version comes to its end.`,
      action: "Stop it",
      isDangerous: true,
      run: () => call("POST", `millrace/v1/rollouts/${encodeURIComponent(id)}/stop`, {}),
    });
  return html`<button @click=${stop}>Stop</button>`;
}
