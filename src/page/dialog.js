import { signIn } from "./api.js";
import { live } from "./live.js";
import { html, render } from "./vendor/lit-html.js";
import { messageOf } from "./words.js";

/**
 * Asks before something is done that cannot be undone, with its name and count; says what came of it.
 * @param {{ title: string, text: string, action: string, isDangerous?: boolean, run: () => Promise<unknown> }} question
 */
export function ask({ title, text, action, isDangerous = false, run }) {
  const dialog = document.createElement("dialog");
  document.body.append(dialog);
  const close = () => {
    dialog.close();
    dialog.remove();
  };
  /** @type {string | undefined} */
  let problem;
  let isRunning = false;
  const confirm = async () => {
    isRunning = true;
    draw();
    try {
      await run();
      close();
      tell(`${title}: done.`);
    } catch (error) {
      problem = messageOf(error);
      isRunning = false;
      draw();
    }
  };
  const draw = () =>
    render(
      html`<h2 id="dialog-title">${title}</h2>
        <p>${text}</p>
        ${problem === undefined ? "" : html`<p class="bad" role="alert">${problem}</p>`}
        <p class="actions">
          <button class=${isDangerous ? "danger" : "main"} ?disabled=${isRunning} @click=${confirm}>${action}</button>
          <button @click=${close}>Cancel</button>
        </p>`,
      dialog,
    );
  dialog.setAttribute("aria-labelledby", "dialog-title");
  dialog.addEventListener("close", () => dialog.remove());
  draw();
  dialog.showModal();
}

let told = 0;

/** Says it for some seconds, to screen readers too. @param {string} text */
export function tell(text) {
  const place = document.getElementById("told");
  if (place === null) return;
  const ours = ++told;
  place.textContent = text;
  setTimeout(() => {
    if (ours === told) place.textContent = "";
  }, 6_000);
}

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
