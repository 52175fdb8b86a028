import { live } from "./live.js";
import { html } from "./vendor/lit-html.js";
import { duration, moment } from "./words.js";

export function processesView() {
  return html`<h1>Processes</h1>
    ${live.problem === undefined ? "" : html`<p class="bad" role="alert">Other processes cannot be asked: ${live.problem}</p>`}
    <div class="wide" tabindex="0" role="region" aria-label="Processes"><table>
      <thead><tr><th scope="col">Process</th><th scope="col">Is</th><th scope="col">Began</th><th scope="col">Said</th><th scope="col" class="num">Mappings</th><th scope="col" class="num">Shards</th></tr></thead>
      <tbody>${live.processes.map(
        (each) => html`<tr>
          <th scope="row" class="ids">${each.processId}${each.isHere ? html` <span class="soft">(answers this page)</span>` : ""}</th>
          <td>${each.standing === "lives" ? html`<span class="good">● lives</span>` : html`<span class="bad">▲ ${each.standing}</span>`}</td>
          <td>${moment(each.startedMs)}</td>
          <td>${each.isHere ? "now" : `${duration(live.nowMs - each.saidMs)} ago`}</td>
          <td class="num">${each.mappings}</td><td class="num">${each.shards}</td>
        </tr>`,
      )}</tbody>
    </table></div>`;
}
