import {
  type EnvironmentFigures,
  type EnvironmentStanding,
  eachOnce,
  type Separation,
} from "../../ports/environment-watch.ts";
import type { WholeView } from "../whole-view.ts";

/** Environments of one function, over the processes that live. */
export interface ToldEnvironments {
  /** Each kind once; empty: none of its versions is open. */
  readonly separations: readonly Separation[];
  readonly environments: Readonly<Record<EnvironmentStanding, number>>;
  readonly coldStarts: number;
  readonly coldStartsLately: number;
  readonly startFailures: number;
  readonly resets: number;
  readonly memoryMaxMb?: number;
  readonly lastInitMs?: number;
  /** The last start failed so in some process, and none there has succeeded since. */
  readonly failing?: { readonly errorType: string; readonly agoMs: number };
  readonly processes: number;
}

/** `undefined`: none of them has started an environment of it. */
export function toldEnvironments(fn: string, { nowMs, processes }: WholeView): ToldEnvironments | undefined {
  const all = processes
    .filter(({ standing }) => standing === "lives")
    .flatMap(({ snapshot }) => (snapshot.functions ?? []).filter((each) => each.fn === fn));
  const [first] = all;
  if (first === undefined) return undefined;
  const sum = (read: (figures: EnvironmentFigures) => number) =>
    all.reduce((total, each) => total + read(each), 0);
  const known = <T>(values: readonly (T | undefined)[]) => values.filter((each) => each !== undefined);
  const memory = known(all.map(({ memoryMaxMb }) => memoryMaxMb));
  const inits = known(all.map(({ lastInitMs }) => lastInitMs));
  const [failing] = known(all.map((each) => each.failing)).toSorted((a, b) => b.atMs - a.atMs);
  return {
    separations: eachOnce(all.flatMap(({ separations = [] }) => separations)),
    environments: {
      starting: sum(({ standings }) => standings.starting),
      idle: sum(({ standings }) => standings.idle),
      busy: sum(({ standings }) => standings.busy),
      resetting: sum(({ standings }) => standings.resetting),
      stopped: sum(({ standings }) => standings.stopped),
      abandoned: sum(({ standings }) => standings.abandoned),
    },
    coldStarts: sum(({ coldStarts }) => coldStarts),
    coldStartsLately: sum(({ coldStartsLately }) => coldStartsLately),
    startFailures: sum(({ startFailures }) => startFailures),
    resets: sum(({ resets }) => Object.values(resets).reduce((total, count) => total + count, 0)),
    ...(memory.length === 0 ? {} : { memoryMaxMb: Math.max(...memory) }),
    ...(inits.length === 0 ? {} : { lastInitMs: Math.max(...inits) }),
    ...(failing === undefined
      ? {}
      : { failing: { errorType: failing.errorType, agoMs: Math.max(0, nowMs - failing.atMs) } }),
    processes: all.length,
  };
}

/** What people are told of them. */
export function environmentLines(
  fn: string,
  told: ToldEnvironments | undefined,
  memoryMb: number | undefined,
): readonly string[] {
  if (told === undefined) return [];
  const { environments, coldStartsLately, coldStarts, resets, memoryMaxMb, lastInitMs, failing } = told;
  const separated = told.separations.map((each) => `isolation: ${separationText(each)}`);
  // Threads have no environments that could be told of.
  if (isAllThreads(told)) return separated;
  const all = Object.entries(environments).filter(([, count]) => count > 0);
  const count = all.reduce((sum, [, each]) => sum + each, 0);
  const states = all.map(([state, each]) => `${each} ${state}`).join(", ");
  const init = lastInitMs === undefined ? "" : `, the last in ${Math.round(lastInitMs)} ms`;
  const of = memoryMb === undefined ? "" : ` of ${memoryMb}`;
  return [
    `environments of ${fn}: ${count}${states === "" ? "" : ` (${states})`}`,
    ...separated,
    `cold starts: ${coldStartsLately} in the last five minutes, ${coldStarts} in all${init}; resets: ${resets}`,
    ...(memoryMaxMb === undefined ? [] : [`memory: ${memoryMaxMb}${of} MB at most in one environment`]),
    ...(failing === undefined
      ? []
      : [
          `CANNOT START: its last start failed ${Math.round(failing.agoMs / 1_000)} s ago: ${failing.errorType}.`,
          `It is tried again with the next call. What it printed: millrace logs ${fn}`,
        ]),
  ];
}

const STORAGE_TEXTS: Readonly<Record<Separation["storage"], string>> = {
  watched: "ephemeral storage is watched",
  hard: "ephemeral storage is bounded by the wrapper",
  unbounded: "ephemeral storage is not bounded",
};

function separationText({ isolation, storage }: Separation): string {
  return `${isolation}, ${STORAGE_TEXTS[storage]}`;
}

function isAllThreads({ separations }: ToldEnvironments): boolean {
  return separations.length > 0 && separations.every(({ isolation }) => isolation === "thread");
}
