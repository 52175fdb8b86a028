import { html } from "./vendor/lit-html.js";

/** The height of a row of `table.rows`, as page.css has it. */
const ROW_PX = 38;
/** Drawn beyond the window, so that a short way of scrolling shows no gap. */
const ROWS_MORE = 8;

/**
 * Which rows of a long table are in sight, by where its body stands in the window: only those are drawn, so that a
 * thousand rows cost what thirty do.
 * @param {string} id Of the body. @param {number} total
 */
export function inSight(id, total) {
  const top = document.getElementById(id)?.getBoundingClientRect().top ?? 0;
  const most = Math.ceil(innerHeight / ROW_PX) + 2 * ROWS_MORE;
  const first = Math.floor(Math.max(0, -top) / ROW_PX) - ROWS_MORE;
  const from = Math.max(0, Math.min(first, total - most));
  return { from, to: Math.min(total, from + most) };
}

/** Stands for rows that are not drawn. @param {number} rows @param {number} columns */
export function space(rows, columns) {
  if (rows === 0) return "";
  return html`<tr class="space" aria-hidden="true"><td colspan=${columns} height=${rows * ROW_PX}></td></tr>`;
}
