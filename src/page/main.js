import { signOut } from "./api.js";
import { signInView } from "./dialog.js";
import { eventsView } from "./events.js";
import { failuresView } from "./failures.js";
import { functionsView } from "./functions.js";
import { follow, live } from "./live.js";
import { drawPlots, mappingView } from "./mapping.js";
import { overviewView, processesView } from "./overview.js";
import { drawRollout, rolloutsView } from "./rollouts.js";
import { sourcesView } from "./sources.js";
import { tryView } from "./try.js";
import { html, render } from "./vendor/lit-html.js";
import { some } from "./words.js";

const TABS = [
  ["mappings", "Mappings", "m"],
  ["failures", "Failures", "f"],
  ["functions", "Functions", "u"],
  ["rollouts", "Rollouts", "r"],
  ["events", "Events & schedules", "e"],
  ["sources", "Streams & queues", "s"],
  ["processes", "Processes", "p"],
  ["try", "Try", "t"],
];

const place = /** @type {HTMLElement} */ (document.getElementById("page"));
// What was there until now said that this file is loading.
place.replaceChildren();
let isPlanned = false;

/** Once for all that has changed since the last frame. */
function draw() {
  if (isPlanned) return;
  isPlanned = true;
  requestAnimationFrame(() => {
    isPlanned = false;
    if (live.connection === "signedOut") {
      render(signInView(begin), place);
      return;
    }
    render(page(), place);
    drawPlots();
    drawRollout();
  });
}

function begin() {
  live.connection = "connecting";
  void follow(draw);
  draw();
}

/** The parts of the address behind `#/`. */
function path() {
  return location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
}

function page() {
  const [tab = ""] = path();
  const current = tab === "" ? "mappings" : tab;
  return html`
    <header>
      <a class="skip" href="#main">Skip to content</a>
      <b class="name"><a href="#/mappings">Millrace</a></b>
      <span class="soft">${some(live.processes.filter(({ standing }) => standing === "lives").length, "process", "processes")}</span>
      <span class="soft">${some(live.mappings.size, "mapping")}</span>
      <span class="grow"></span>
      ${connection()}
      <span class="soft">${live.me.name === "" ? "" : `${live.me.name}: ${live.me.roles.join(", ")}`}</span>
      ${live.me.name === "" || live.me.name === "local" ? "" : html`<button @click=${leave}>Sign out</button>`}
    </header>
    <nav aria-label="Views">${TABS.map(
      ([id, label, key]) =>
        html`<a href=${`#/${id}`} aria-current=${id === current ? "page" : "false"} title=${`g ${key}`}>${label}</a>`,
    )}</nav>
    <main id="main" tabindex="-1">${view(current)}</main>
    <div id="told" role="status" aria-live="polite"></div>`;
}

function connection() {
  if (live.connection === "live") return html`<span class="good" role="status">● live</span>`;
  return html`<span class="warn" role="status">○ ${live.connection}${live.trouble === undefined ? "" : `: ${live.trouble}`}</span>`;
}

/** @param {string} tab */
function view(tab) {
  const [, ...rest] = path();
  switch (tab) {
    case "mappings":
      return rest[0] === undefined || rest[0] === "" ? overviewView(draw) : mappingView(rest[0], draw);
    case "failures":
      return failuresView(rest[0] ?? "", draw);
    case "functions":
      return functionsView(draw);
    case "rollouts":
      return rolloutsView(rest[0] ?? "", draw);
    case "events":
      return eventsView(draw);
    case "sources":
      return sourcesView(draw);
    case "processes":
      return processesView();
    case "try":
      return tryView(rest, draw);
    default:
      return html`<h1>Nothing is here</h1><p><a href="#/mappings">All mappings</a></p>`;
  }
}

function leave() {
  signOut();
  location.reload();
}

let isGoing = false;

/** `/` filters, `g` and a letter goes to a view. @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {Element | null} */ (event.target);
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    target?.closest("input, textarea, select, dialog") != null
  )
    return;
  if (isGoing) {
    isGoing = false;
    const tab = TABS.find(([, , key]) => key === event.key);
    if (tab !== undefined) location.hash = `#/${tab[0]}`;
  } else if (event.key === "g") {
    isGoing = true;
  } else if (event.key === "/") {
    event.preventDefault();
    document.getElementById("filter")?.focus();
  }
}

addEventListener("hashchange", () => {
  draw();
  document.getElementById("main")?.focus();
});
addEventListener("keydown", onKey);
addEventListener("resize", draw);
addEventListener("scroll", draw, { passive: true });
begin();
