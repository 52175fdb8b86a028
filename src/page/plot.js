import UPlot from "./vendor/uplot.js";

/**
 * `at` in epoch milliseconds; the others as its kind of plot has them.
 * @typedef {{ at: number, read: number, done: number, failed: number, oldestAgeMs: number,
 *   calls: number, formerCalls: number, formerFailed: number }} Point
 */

const HEIGHT = 170;
/** @type {WeakMap<Element, { plot: any, points: Point[] }>} */
const plots = new WeakMap();

const KINDS = {
  rates: [
    { label: "read /s", color: "--s1", of: (/** @type {Point} */ point) => point.read },
    { label: "done /s", color: "--s3", of: (/** @type {Point} */ point) => point.done },
    { label: "failed /s", color: "--bad", of: (/** @type {Point} */ point) => point.failed },
  ],
  versions: [
    { label: "new", color: "--s3", of: (/** @type {Point} */ point) => point.calls },
    { label: "new, failed", color: "--bad", of: (/** @type {Point} */ point) => point.failed },
    { label: "old", color: "--s1", of: (/** @type {Point} */ point) => point.formerCalls },
    { label: "old, failed", color: "--s2", of: (/** @type {Point} */ point) => point.formerFailed },
  ],
  age: [{ label: "oldest, s", color: "--s2", of: (/** @type {Point} */ point) => point.oldestAgeMs / 1_000 }],
};

/** Draws into an element, or draws what is there anew. @param {Element} element @param {keyof typeof KINDS} kind @param {Point[]} points */
export function draw(element, kind, points) {
  const known = plots.get(element);
  const isResized = known !== undefined && known.plot.width !== widthOf(element);
  // What stands there is not measured nor drawn again while nothing has changed.
  if (known?.points === points && !isResized) return;
  const lines = KINDS[kind];
  const data = [points.map(({ at }) => at / 1_000), ...lines.map(({ of }) => points.map(of))];
  const width = widthOf(element);
  if (known !== undefined) {
    known.points = points;
    if (isResized) known.plot.setSize({ width, height: HEIGHT });
    known.plot.setData(data);
    return;
  }
  const style = getComputedStyle(document.documentElement);
  const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color("--soft"),
    grid: { stroke: color("--rule"), width: 1 },
    ticks: { show: false },
  };
  const options = {
    width,
    height: HEIGHT,
    cursor: { y: false },
    scales: {
      y: {
        range: (/** @type {unknown} */ _plot, /** @type {number} */ _low, /** @type {number} */ high) => [
          0,
          Math.max(1, high * 1.1),
        ],
      },
    },
    axes: [axis, { ...axis, size: 56 }],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: color(line.color),
        width: 2,
        points: { show: false },
      })),
    ],
  };
  const plot = new UPlot(
    /** @type {any} */ (options),
    /** @type {any} */ (data),
    /** @type {HTMLElement} */ (element),
  );
  plots.set(element, { plot, points });
}

/** @param {Element} element */
function widthOf(element) {
  return Math.max(240, element.clientWidth);
}
