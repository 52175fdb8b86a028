import type { LoadResult, LoadWindow, MemorySample } from "../load-result.ts";
import type { Trend } from "../memory-trend.ts";
import { clockTime, milliseconds, short } from "./figures.ts";
import type { Markup } from "./markup.ts";
import { type Axis, type Band, type Plot, renderPlot, type Series } from "./plot.ts";
import { linearScale, logScale, timeScale } from "./scale.ts";

const TIME_LABEL = "time since the first record was due";
const MIB = 1024 ** 2;

/** All plots of one test, over the same time axis but for the percentile curve. */
export function loadPlots(result: LoadResult): readonly Markup[] {
  const endMs = Math.max(result.durationMs, result.windows.at(-1)?.atMs ?? 0);
  const x: Axis = { scale: timeScale(endMs), label: TIME_LABEL, format: clockTime };
  const bands = faultBands(result);
  const plots = [
    throughput(result),
    latencyOverTime(result),
    waiting(result),
    memory(result),
    cpu(result),
  ].map((plot) => ({ ...plot, x, bands }));
  return [...plots.slice(0, 2), percentiles([result]), ...plots.slice(2)].map(renderPlot);
}

type TimePlot = Omit<Plot, "x" | "bands">;

function throughput({ windows }: LoadResult): TimePlot {
  const perSecond = (of: (window: LoadWindow) => number) =>
    windows.map((window) => [window.atMs, of(window) / Math.max(0.001, window.seconds)] as const);
  const sent = perSecond(({ sent: records }) => records);
  const delivered = perSecond(({ delivered: records }) => records);
  const planned = windows.map(({ atMs, plannedPerSecond }) => [atMs, plannedPerSecond] as const);
  return {
    id: "throughput",
    title: "Throughput",
    description:
      "Records a second over time: planned by the scenario, sent to the source, and delivered to the function.",
    y: {
      scale: linearScale(largest([...sent, ...delivered, ...planned])),
      label: "records/s",
      format: short,
    },
    series: [
      { name: "sent", style: 2, points: sent },
      { name: "delivered", style: 1, points: delivered },
      // On top: where all goes as planned the lines are one, and its dashes leave the others to be seen.
      { name: "planned", style: 5, shape: "dashed", points: planned },
    ],
  };
}

function latencyOverTime({ windows }: LoadResult): TimePlot {
  const of = (pick: (window: LoadWindow) => number) =>
    windows.map((window) => [window.atMs, window.delivered > 0 ? pick(window) : undefined] as const);
  const series: readonly Series[] = [
    { name: "p50", style: 1, points: of(({ p50Ms }) => p50Ms) },
    { name: "p90", style: 3, points: of(({ p90Ms }) => p90Ms) },
    { name: "p99", style: 2, points: of(({ p99Ms }) => p99Ms) },
    { name: "slowest", style: 4, shape: "dashed", points: of(({ maxMs }) => maxMs) },
  ];
  const all = series.flatMap(({ points }) => points);
  return {
    id: "latency",
    title: "Latency, from due to invoked",
    description:
      "Median, 90th and 99th percentile and maximum of the latency over time, on a logarithmic scale.",
    y: { scale: logScale(smallest(all), largest(all)), label: "latency", format: milliseconds },
    series,
  };
}

/** Percentiles of one test or several, one line each. */
export function percentiles(results: readonly LoadResult[], names?: readonly string[]): Plot {
  const deepest = Math.max(1, ...results.map(({ latency }) => Math.log10(Math.max(10, latency.count))));
  const x = (quantile: number) => Math.min(deepest, quantile === 1 ? deepest : -Math.log10(1 - quantile));
  const ticks = [0, Math.log10(2), 1, 2, 3, 4, 5, 6, 7, 8].filter((tick) => tick <= deepest);
  const series = results.map(
    ({ latency }, index): Series => ({
      name: names?.[index] ?? "latency",
      ...lineOfTest(index),
      points: latency.curve.map(({ quantile, ms }) => [x(quantile), ms] as const),
    }),
  );
  const all = series.flatMap(({ points }) => points);
  return {
    id: "percentiles",
    title: "Latency by percentile",
    description:
      "How slow the slowest share of all records was: each step to the right is a tenth of the share before.",
    x: {
      scale: { kind: "linear", min: 0, max: deepest, ticks, place: (value) => value / deepest },
      label: "share of records that were at least so fast",
      format: (value) => `${Number((100 * (1 - 10 ** -value)).toFixed(6))} %`,
    },
    y: { scale: logScale(smallest(all), largest(all)), label: "latency", format: milliseconds },
    series,
  };
}

/** The line of the first or second test of a comparison; where they are the same, both are seen. */
export function lineOfTest(index: number): Pick<Series, "style" | "shape"> {
  return { style: index + 1, shape: index === 0 ? "line" : "dashed" };
}

function waiting({ windows }: LoadResult): TimePlot {
  const lag = windows.map((window) => [window.atMs, window.lag] as const);
  const inFlight = windows.map((window) => [window.atMs, window.inFlight] as const);
  return {
    id: "waiting",
    title: "Lag and in flight",
    description:
      "Records that are sent and not settled, and those of them that are in the function's hands, over time.",
    y: { scale: linearScale(largest([...lag, ...inFlight])), label: "records", format: short },
    series: [
      { name: "lag", style: 2, points: lag },
      { name: "in flight", style: 1, points: inFlight },
    ],
  };
}

function memory({ memory: samples, trends }: LoadResult): TimePlot {
  const of = (pick: (sample: MemorySample) => number, isShown: (sample: MemorySample) => boolean) =>
    perProcess(samples, (sample) => (isShown(sample) ? pick(sample) : undefined));
  const rss = of(
    ({ rssBytes }) => rssBytes,
    () => true,
  );
  const heap = of(
    ({ heapBytes, externalBytes }) => heapBytes + externalBytes,
    () => true,
  );
  const kept = samples
    .filter(({ isCollected }) => isCollected)
    .map(({ atMs, heapBytes, externalBytes }) => [atMs, heapBytes + externalBytes] as const);
  const trend =
    trends.heap === undefined ? [] : [trendLine(trends.heap, kept, samples.at(-1)?.engine, samples)];
  return {
    id: "memory",
    title: "Memory of the engine",
    description:
      "Resident memory and heap of the engine's process over time; dots are the heap just after garbage collection.",
    y: { scale: linearScale(largest(rss) / MIB), label: "memory (MiB)", format: short },
    series: [
      { name: "resident", style: 2, points: inMib(rss) },
      { name: "heap and buffers", style: 5, points: inMib(heap) },
      { name: "after collection", style: 1, shape: "dots", points: inMib(kept) },
      ...trend,
    ],
  };
}

/** The straight line that the verdict judges, over the stretch that it was fitted to. */
function trendLine(
  { perHour }: Trend,
  kept: readonly (readonly [number, number])[],
  engine: number | undefined,
  samples: readonly MemorySample[],
): Series {
  const fromMs = samples.find((sample) => sample.engine === engine)?.atMs ?? 0;
  const ofLast = kept.filter(([atMs]) => atMs >= fromMs);
  const middleMs = mean(ofLast.map(([atMs]) => atMs));
  const middle = mean(ofLast.map(([, bytes]) => bytes)) / MIB;
  const at = (atMs: number) => [atMs, middle + (perHour * (atMs - middleMs)) / 3_600_000] as const;
  const [first, last] = [ofLast[0]?.[0] ?? 0, ofLast.at(-1)?.[0] ?? 0];
  return {
    name: `trend: ${perHour.toFixed(1)} MiB/h`,
    style: 4,
    shape: "dashed",
    points: [at(first), at(last)],
  };
}

function cpu({ memory: samples }: LoadResult): TimePlot {
  const points = perProcess(samples, ({ cpuPercent }) => cpuPercent);
  return {
    id: "cpu",
    title: "CPU of the engine",
    description: "Share of one core that the engine's process used, over time.",
    y: { scale: linearScale(largest(points)), label: "CPU (% of a core)", format: short },
    series: [{ name: "user and system", style: 1, points }],
  };
}

/** Interrupted where the engine's process was another before. */
function perProcess(
  samples: readonly MemorySample[],
  pick: (sample: MemorySample) => number | undefined,
): readonly (readonly [number, number | undefined])[] {
  return samples.flatMap((sample, index) => {
    const before = samples[index - 1];
    const point = [sample.atMs, pick(sample)] as const;
    const isNew = before !== undefined && before.engine !== sample.engine;
    return isNew ? [[sample.atMs, undefined] as const, point] : [point];
  });
}

export function faultBands({ faults }: LoadResult): readonly Band[] {
  return faults.map(({ kind, fromMs, toMs }) => ({ from: fromMs, to: toMs, label: kind }));
}

type Points = readonly (readonly [number, number | undefined])[];

function inMib(points: Points): Points {
  return points.map(([x, bytes]) => [x, bytes === undefined ? undefined : bytes / MIB]);
}

export function largest(points: Points): number {
  return points.reduce((most, [, y]) => Math.max(most, y ?? 0), 0);
}

export function smallest(points: Points): number {
  return points.reduce(
    (least, [, y]) => (y === undefined || y <= 0 ? least : Math.min(least, y)),
    Number.MAX_VALUE,
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
