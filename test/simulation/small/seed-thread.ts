import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { Patch } from "../planted/planted-bug.ts";
import type { WorldName } from "./worlds.ts";

/**
 * Seeds of a small world run in a thread of their own: there a bug reaches nobody else, and the runner of tests, which
 * follows every promise of its own thread, does not double their time.
 */
export interface SmallBug {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** A violation of any of these must be seen; `undefined`: any at all. */
  readonly breaks?: readonly string[];
}

export interface Hunt {
  readonly kind: "hunt";
  readonly world: WorldName;
  readonly bug: SmallBug;
  readonly seedsMax: number;
  readonly firstSeed?: number | undefined;
}

export interface Caught {
  readonly seed: number;
  readonly seen: string;
}

export interface Proof {
  readonly kind: "proof";
  readonly world: WorldName;
  /** From 1 on. */
  readonly seeds: number;
}

export interface Proved {
  readonly violations: readonly string[];
  readonly totals: ReadonlyMap<string, number>;
  readonly marks: ReadonlySet<string>;
}

/**
 * A bug's name to the seed that caught it, where others come before: it is tried first. A hint alone: the search goes
 * over all the others, and the tests tell as diagnostics which seed caught what.
 */
const CAUGHT_BY: Readonly<Record<string, number>> = JSON.parse(
  readFileSync(new URL("caught-by.json", import.meta.url), "utf8"),
);

export async function huntInWorld(
  world: WorldName,
  bug: SmallBug,
  seedsMax: number,
): Promise<Caught | undefined> {
  return await answerOf<Caught | undefined>({
    ...{ kind: "hunt", world, seedsMax, firstSeed: CAUGHT_BY[bug.name] },
    bug: {
      name: bug.name,
      patches: bug.patches,
      ...(bug.breaks === undefined ? {} : { breaks: bug.breaks }),
    },
  });
}

export async function proveSeeds(world: WorldName, seeds: number): Promise<Proved> {
  return await answerOf<Proved>({ kind: "proof", world, seeds });
}

function answerOf<Answer>(workerData: Hunt | Proof): Promise<Answer> {
  const worker = new Worker(new URL("seed-worker.ts", import.meta.url), { workerData });
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.once("exit", () => reject(new Error(`the seeds of "${workerData.world}" ended without an answer`)));
  return promise.finally(() => worker.terminate());
}
