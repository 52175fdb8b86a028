import { type Markup, type MarkupPart, markup } from "./markup.ts";

export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

export function table(columns: readonly Column[], rows: readonly (readonly MarkupPart[])[]): Markup {
  const kind = (index: number) => (columns[index]?.isNumber === true ? markup` class="number"` : "");
  const head = columns.map(({ title }, index) => markup`<th scope="col"${kind(index)}>${title}</th>`);
  const lines = rows.map(
    (cells) => markup`<tr>${cells.map((cell, index) => markup`<td${kind(index)}>${cell}</td>`)}</tr>\n`,
  );
  return markup`<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>
${lines}</tbody></table></div>
`;
}

export interface Card {
  readonly name: string;
  readonly value: string;
  readonly note?: string;
}

export function cards(all: readonly Card[]): Markup {
  const shown = all.map(({ name, value, note }) => {
    const small = note === undefined ? "" : markup`<small>${note}</small>`;
    return markup`<div><dt>${name}</dt><dd>${value}${small}</dd></div>\n`;
  });
  return markup`<dl class="cards">
${shown}</dl>
`;
}

export function verdictBadge(passed: boolean): Markup {
  return passed
    ? markup`<span class="verdict">Passed</span>`
    : markup`<span class="verdict failed">Failed</span>`;
}
