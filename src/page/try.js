import { answer, call } from "./api.js";
import { may } from "./live.js";
import { html } from "./vendor/lit-html.js";
import { bounded, duration, messageOf } from "./words.js";

/** @type {Record<string, { text: string, isBad: boolean } | undefined>} */
const results = {};

/** Patterns, records and invocations by hand. @param {string[]} path @param {() => void} onChange */
export function tryView(path, onChange) {
  const [kind = "", name = ""] = path;
  const fn = name === "" && kind !== "stream" && kind !== "queue" ? kind : "";
  return html`<h1>Try</h1><div class="cards">
    ${may("write") ? invoke(fn, onChange) : ""}
    ${may("send") ? send(kind === "queue" ? "queue" : "stream", name, onChange) : ""}
    ${pattern(onChange)}
  </div>`;
}

/** @param {string} place @param {() => void} onChange @param {(data: FormData) => Promise<string>} run */
function onSubmit(place, onChange, run) {
  return async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    try {
      results[place] = { text: await run(data), isBad: false };
    } catch (error) {
      results[place] = { text: messageOf(error), isBad: true };
    }
    onChange();
  };
}

/** @param {string} place */
function result(place) {
  const shown = results[place];
  if (shown === undefined) return "";
  return html`<pre tabindex="0" class=${shown.isBad ? "bad" : ""} role="status">${bounded(shown.text)}</pre>`;
}

/** @param {string} fn @param {() => void} onChange */
function invoke(fn, onChange) {
  const run = async (/** @type {FormData} */ data) => {
    const began = performance.now();
    const path = `2015-03-31/functions/${encodeURIComponent(String(data.get("name")))}/invocations`;
    const response = await answer("POST", path, String(data.get("event")), { "x-amz-log-type": "Tail" });
    const text = await response.text();
    const failed = response.headers.get("x-amz-function-error");
    const log = response.headers.get("x-amz-log-result");
    const head = `${failed === null ? "answered" : `failed (${failed})`} in ${duration(performance.now() - began)}`;
    return `${head}\n${pretty(text)}${log === null ? "" : `\n\nWhat it printed:\n${decoded(log)}`}`;
  };
  return html`<form class="card" @submit=${onSubmit("invoke", onChange, run)}>
    <h2>Invoke a function</h2>
    <label>Function<input name="name" required .value=${fn} autocomplete="off" /></label>
    <label>Event<textarea name="event" rows="6" .value=${"{}"}></textarea></label>
    <p class="actions"><button class="main">Invoke</button></p>${result("invoke")}
  </form>`;
}

/** @param {string} kind @param {string} name @param {() => void} onChange */
function send(kind, name, onChange) {
  const run = async (/** @type {FormData} */ data) => {
    const to = encodeURIComponent(String(data.get("name")));
    const body = String(data.get("body"));
    const key = String(data.get("key"));
    if (data.get("kind") === "queue") {
      const message = key === "" ? { body } : { body, group: key };
      return JSON.stringify(await call("POST", `millrace/v1/queues/${to}/messages`, message), undefined, 2);
    }
    const record = key === "" ? { data: body } : { key, data: body };
    return JSON.stringify(await call("POST", `millrace/v1/streams/${to}/records`, record), undefined, 2);
  };
  return html`<form class="card" @submit=${onSubmit("send", onChange, run)}>
    <h2>Send a record</h2>
    <label>To a <select name="kind"><option value="stream" ?selected=${kind === "stream"}>stream</option><option value="queue" ?selected=${kind === "queue"}>queue</option></select></label>
    <label>Name<input name="name" required .value=${name} autocomplete="off" /></label>
    <label>Key or group<input name="key" autocomplete="off" /></label>
    <label>Content<textarea name="body" rows="4" .value=${'{"hello":"world"}'}></textarea></label>
    <p class="actions"><button class="main">Send</button></p>${result("send")}
  </form>`;
}

/** @param {() => void} onChange */
function pattern(onChange) {
  const run = async (/** @type {FormData} */ data) => {
    const asked = { pattern: String(data.get("pattern")), event: String(data.get("event")) };
    const { matches } = await call("POST", "millrace/v1/test-pattern", asked);
    return matches === true
      ? "It matches: the function gets the record."
      : "It does not match: the record is filtered out.";
  };
  return html`<form class="card" @submit=${onSubmit("pattern", onChange, run)}>
    <h2>Test a filter pattern</h2>
    <label>Pattern<textarea name="pattern" rows="4" .value=${'{"data":{"amount":[{"numeric":[">",5]}]}}'}></textarea></label>
    <label>Event<textarea name="event" rows="4" .value=${'{"data":{"amount":7}}'}></textarea></label>
    <p class="actions"><button class="main">Test</button></p>${result("pattern")}
  </form>`;
}

/** @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2).replaceAll("\\n", "\n");
  } catch {
    return text;
  }
}

/** @param {string} base64 */
function decoded(base64) {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
}
