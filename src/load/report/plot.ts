import { type Markup, markup } from "./markup.ts";
import type { Scale } from "./scale.ts";

export interface Plot {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  /** What is to be seen, in words, for who does not see it. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly bands?: readonly Band[];
}

export interface Axis {
  readonly scale: Scale;
  readonly label: string;
  /** Text of a tick. */
  readonly format: (value: number) => string;
}

export interface Series {
  readonly name: string;
  /** 1 … 5: colour and pattern, the same in legend and plot. */
  readonly style: number;
  readonly shape?: "line" | "dashed" | "dots";
  /** `undefined`: nothing was measured there; a line is interrupted. */
  readonly points: readonly (readonly [x: number, y: number | undefined])[];
}

/** A stretch of the x axis in which something happened. */
export interface Band {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

const WIDTH = 960;
const HEIGHT = 260;
const LEFT = 84;
const RIGHT = 20;
const BOTTOM = 52;
const TOP = 12;
const LABEL_ROW = 18;
/** Rows of band labels; what finds no room in them is in the table of faults only. */
const LABEL_ROWS_MAX = 3;
/** How wide a character is at the size that the style sheet gives labels. */
const CHARACTER_WIDTH = 7.4;

/** One plot as a figure: legend as text above, SVG below. Sizes are those of its view box; the page scales it. */
export function renderPlot(plot: Plot): Markup {
  const labels = placeLabels(plot);
  const rows = Math.max(0, ...labels.map(({ row }) => row + 1));
  const frame: Frame = {
    left: LEFT,
    right: WIDTH - RIGHT,
    top: TOP + rows * LABEL_ROW,
    bottom: TOP + rows * LABEL_ROW + HEIGHT - TOP - BOTTOM,
  };
  const height = frame.bottom + BOTTOM;
  const { id, title, description } = plot;
  return markup`<figure class="plot">
<figcaption><h3>${title}</h3>${legend(plot.series)}</figcaption>
<div class="canvas"><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-title ${id}-text">
<title id="${id}-title">${title}</title><desc id="${id}-text">${description}</desc>
${bands(plot, frame, labels)}${yAxis(plot.y, frame)}${xAxis(plot.x, frame)}
${plot.series.map((series) => drawSeries(series, plot, frame))}
</svg></div>
</figure>
`;
}

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function xAt({ scale }: Axis, { left, right }: Frame, value: number): number {
  return round(left + Math.min(1, Math.max(0, scale.place(value))) * (right - left));
}

function yAt({ scale }: Axis, { top, bottom }: Frame, value: number): number {
  return round(bottom - Math.min(1, Math.max(0, scale.place(value))) * (bottom - top));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function yAxis(axis: Axis, frame: Frame): Markup {
  const { left, right, top, bottom } = frame;
  const ticks = axis.scale.ticks.map((tick) => {
    const y = yAt(axis, frame, tick);
    return markup`<line class="grid" x1="${left}" x2="${right}" y1="${y}" y2="${y}"/><text class="tick" x="${left - 8}" y="${y + 4.5}" text-anchor="end">${axis.format(tick)}</text>`;
  });
  const middle = (top + bottom) / 2;
  return markup`${ticks}<text class="axis" transform="translate(16 ${middle}) rotate(-90)" text-anchor="middle">${axis.label}</text>`;
}

function xAxis(axis: Axis, frame: Frame): Markup {
  const { left, right, bottom } = frame;
  const ticks = axis.scale.ticks.map((tick) => {
    const x = xAt(axis, frame, tick);
    const anchor = x > right - 12 ? "end" : "middle";
    return markup`<line class="mark" x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 5}"/><text class="tick" x="${anchor === "end" ? right : x}" y="${bottom + 22}" text-anchor="${anchor}">${axis.format(tick)}</text>`;
  });
  return markup`<line class="mark" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>${ticks}<text class="axis" x="${(left + right) / 2}" y="${bottom + 43}" text-anchor="middle">${axis.label}</text>`;
}

function drawSeries({ name, style, shape = "line", points }: Series, plot: Plot, frame: Frame): Markup {
  const placed = points.map(([x, y]) =>
    y === undefined ? undefined : ([xAt(plot.x, frame, x), yAt(plot.y, frame, y)] as const),
  );
  if (shape === "dots") {
    const dots = placed.flatMap((point) =>
      point === undefined ? [] : [markup`<circle cx="${point[0]}" cy="${point[1]}" r="2.2"/>`],
    );
    return markup`<g class="dots s${style}" data-series="${name}">${dots}</g>`;
  }
  const path = linePath(placed);
  const line = path === "" ? "" : markup`<path class="${shape}" d="${path}"/>`;
  return markup`<g class="s${style}" data-series="${name}">${line}${lonePoints(placed)}</g>`;
}

type Placed = readonly (readonly [x: number, y: number] | undefined)[];

function linePath(points: Placed): string {
  let path = "";
  for (const [index, point] of points.entries()) {
    if (point === undefined || isLone(points, index)) continue;
    path += `${points[index - 1] === undefined ? "M" : "L"}${point[0]} ${point[1]}`;
  }
  return path;
}

/** What was measured between two gaps would be no line: it is a dot. */
function lonePoints(points: Placed): readonly Markup[] {
  return points.flatMap((point, index) =>
    point !== undefined && isLone(points, index)
      ? [markup`<circle class="lone" cx="${point[0]}" cy="${point[1]}" r="3.2"/>`]
      : [],
  );
}

function isLone(points: Placed, index: number): boolean {
  return points[index - 1] === undefined && points[index + 1] === undefined;
}

function legend(series: readonly Series[]): Markup {
  const entries = series.map(
    ({ name, style, shape = "line" }) =>
      markup`<li><svg class="key" viewBox="0 0 26 10" aria-hidden="true">${
        shape === "dots"
          ? markup`<g class="dots s${style}"><circle cx="6" cy="5" r="2.5"/><circle cx="13" cy="5" r="2.5"/><circle cx="20" cy="5" r="2.5"/></g>`
          : markup`<g class="s${style}"><path class="${shape}" d="M1 5h24"/></g>`
      }</svg>${name}</li>`,
  );
  return markup`<ul class="legend">${entries}</ul>`;
}

interface PlacedLabel {
  readonly band: Band;
  readonly row: number;
  readonly x: number;
}

/** Labels of bands stand above the plot, in rows in which none meets another. */
function placeLabels({ bands: all = [], x }: Plot): readonly PlacedLabel[] {
  const frame: Frame = { left: LEFT, right: WIDTH - RIGHT, top: 0, bottom: 0 };
  const ends: number[] = [];
  return all.flatMap((band) => {
    const width = band.label.length * CHARACTER_WIDTH;
    const start = Math.min(xAt(x, frame, band.from), frame.right - width);
    const row = Array.from({ length: LABEL_ROWS_MAX }, (_, index) => index).find(
      (index) => (ends[index] ?? Number.NEGATIVE_INFINITY) + 10 <= start,
    );
    if (row === undefined) return [];
    ends[row] = start + width;
    return [{ band, row, x: start }];
  });
}

function bands({ bands: all = [], x }: Plot, frame: Frame, labels: readonly PlacedLabel[]): Markup {
  const shaded = all.map(({ from, to }) => {
    const left = xAt(x, frame, from);
    const width = Math.max(2, round(xAt(x, frame, to) - left));
    return markup`<rect class="band" x="${left}" width="${width}" y="${frame.top}" height="${frame.bottom - frame.top}"/>`;
  });
  const named = labels.map(({ band, row, x: labelX }) => {
    const y = TOP + (row + 1) * LABEL_ROW - 6;
    const at = xAt(x, frame, band.from);
    return markup`<line class="lead" x1="${at}" x2="${at}" y1="${y - 10}" y2="${frame.top}"/><text class="fault" x="${round(labelX + 4)}" y="${y}">${band.label}</text>`;
  });
  return markup`${shaded}${named}`;
}
