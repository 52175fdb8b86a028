import { signIn } from "./api.js";
import { live } from "./live.js";
import { html } from "./vendor/lit-html.js";

/** @param {() => void} onSigned */
export function signInView(onSigned) {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const token = /** @type {HTMLInputElement} */ (form.elements.namedItem("token"));
    const keep = /** @type {HTMLInputElement} */ (form.elements.namedItem("keep"));
    signIn(token.value.trim(), keep.checked);
    onSigned();
  };
  return html`<main class="narrow">
    <h1>Millrace</h1>
    <form @submit=${submit}>
      <label>Token of the API <input name="token" type="password" autocomplete="off" required autofocus /></label>
      <label class="tick"><input name="keep" type="checkbox" /> Keep it until this tab is closed</label>
      ${live.trouble === undefined ? "" : html`<p class="bad" role="alert">${live.trouble}</p>`}
      <p class="actions"><button class="main">Sign in</button></p>
      <p class="soft">It stands in the file that --api-credentials names.</p>
    </form>
  </main>`;
}
