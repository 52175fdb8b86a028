import type { MappingDeployment } from "../../../src/engine/engine.ts";
import type { AliasRoute } from "../../../src/invocation/alias-route.ts";
import type { InvocableFunction } from "../../../src/invocation/invocable-function.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import type { FunctionTarget } from "../../../src/ports/function-target.ts";
import type { Telemetry } from "../../../src/ports/telemetry.ts";
import type { MappingHistory } from "../history.ts";
import type { QueueHistory } from "../queue-history.ts";
import type { WeightChange } from "../scenario.ts";
import type { SimProcess } from "./process.ts";
import type { LiveProcess, World } from "./world.ts";

/** A process looks at the rows so often. */
const LOOK_MS = 1_000;

/** What an alias is before anything has changed. */
export const UNCHANGED: WeightChange = { atMs: 0, from: 1, to: 1, weight: 1 };

type AnyHistory = MappingHistory | QueueHistory;

/** The door of each function of a process, whose alias means what its process has seen of the row. */
export class SimDoors {
  readonly #books = new Map<SimProcess, InvokerBook>();
  readonly #functions = new Map<string, InvocableFunction>();

  bookOf(process: SimProcess, telemetry: Telemetry): InvokerBook {
    const book = new InvokerBook(process.clock, telemetry);
    this.#books.set(process, book);
    return book;
  }

  declare(process: SimProcess, deployments: readonly Pick<MappingDeployment, "fn">[]): void {
    for (const { fn } of deployments) this.#functions.set(`${process.owner} ${fn.name}`, fn);
  }

  see(process: SimProcess, { mapping, views }: AnyHistory, index: number, change: WeightChange, at: number) {
    const fn = this.#functions.get(`${process.owner} ${mapping.functionName}`);
    const seen = views.get(process) ?? [];
    if (fn === undefined || index <= (seen.at(-1)?.index ?? -1)) return;
    views.set(process, [...seen, { at, index }]);
    void this.#books.get(process)?.replace({ ...fn, aliases: aliasesOf(mapping.uuid, change) });
  }
}

function aliasesOf(salt: string, { from, to, weight }: WeightChange): ReadonlyMap<string, AliasRoute> {
  if (weight === 1) return new Map([["live", { version: String(to), weights: new Map<string, number>() }]]);
  const weights = new Map(weight === 0 ? [] : [[String(to), weight]]);
  return new Map([["live", { version: String(from), weights, salt }]]);
}

/** Versions that are the same function, which knows from `version` which of them is called. */
export function versionsOf(
  history: AnyHistory,
  process: SimProcess,
  target: FunctionTarget,
  atMs: number,
): Pick<InvocableFunction, "target" | "versions" | "aliases"> {
  const { weights } = history.plan;
  if (weights === undefined) return { target };
  const seen = weights.findLastIndex((change) => change.atMs <= atMs);
  // A mapping that begins anew in its process has the door that it had.
  if (!history.views.has(process)) history.views.set(process, [{ at: atMs, index: seen }]);
  const last = Math.max(...weights.map(({ to }) => to));
  const versions = Array.from({ length: last }, (_, index) => index + 1).map(
    (version): [string, FunctionTarget] => [
      String(version),
      {
        ...target,
        invoke(...call) {
          history.called = version;
          return target.invoke(...call);
        },
      },
    ],
  );
  return {
    target,
    versions: new Map(versions),
    aliases: aliasesOf(history.mapping.uuid, weights[seen] ?? UNCHANGED),
  };
}

/** Every process sees each change of a row within a look, or when it goes on. */
export function scheduleWeights(world: World): void {
  const random = world.random.fork("looks");
  for (const history of [...world.histories, ...world.queues]) {
    for (const [index, change] of (history.plan.weights ?? []).entries()) {
      world.time.schedule(change.atMs, () => {
        for (const live of world.working()) seeLater(world, live, history, index, random.between(0, LOOK_MS));
      });
    }
  }
}

function seeLater(
  world: World,
  { process }: LiveProcess,
  history: AnyHistory,
  index: number,
  afterMs: number,
) {
  const change = history.plan.weights?.[index];
  if (change === undefined) return;
  world.time.schedule(afterMs, () =>
    process.enter(() => world.doors.see(process, history, index, change, world.time.now)),
  );
}
