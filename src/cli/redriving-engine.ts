import { createHash } from "node:crypto";
import type { Engine, MappingDeployment, StopOptions, StopReport } from "../engine/engine.ts";
import type { FunctionInvoker } from "../invocation/function-invoker.ts";
import type { InvokerBook } from "../invocation/invoker-book.ts";
import { type MappingDoorOptions, pipedInvoker } from "../invocation/mapping-door.ts";
import { describeError } from "../model/errors.ts";
import type { Redrive } from "../model/redrive.ts";
import type { RedriveMapping, RedriveRoute } from "../parking/redrive-context.ts";
import { redriveMappingOf } from "../parking/redrive-mapping.ts";
import type { Redriver } from "../parking/redriver.ts";
import type { Telemetry } from "../ports/telemetry.ts";

export interface RedrivingEngineOptions extends MappingDoorOptions {
  readonly engine: Engine;
  readonly redriver: Redriver;
  readonly invokers: InvokerBook;
  readonly telemetry: Pick<Telemetry, "log" | "count">;
  readonly functions: OpensFunctions;
}

/** Who opens a function that a redrive names in the place of the mapping's. */
export interface OpensFunctions {
  openFunction(name: string): Promise<MappingDeployment["fn"]>;
}

/** An engine whose mappings are redriven where they run, for as long as they run. */
export function redrivingEngine(options: RedrivingEngineOptions): Engine {
  const { engine, redriver } = options;
  const routes = new CandidateRoutes(options);
  return {
    start(deployment) {
      engine.start(deployment);
      if (deployment.mapping.enabled) redriver.begin(redriveMapping(deployment, options, routes));
    },
    async stopMapping(uuid: string, drainMs: number, how?: StopOptions): Promise<StopReport> {
      const [report] = await Promise.all([
        engine.stopMapping(uuid, drainMs, how),
        redriver.end(uuid, drainMs),
      ]);
      return report;
    },
    async stop(drainMs) {
      const [report] = await Promise.all([engine.stop(drainMs), redriver.stop(drainMs)]);
      return report;
    },
    expectStop: (uuid) => engine.expectStop(uuid),
    receivesBack: (uuid) => engine.receivesBack(uuid),
    status: () => engine.status(),
    taken: () => engine.taken(),
    explain: (uuid) => engine.explain(uuid),
    redriven: (uuid) => redriver.parts(uuid),
  };
}

/** A UUID that is the same for the same text, and for no other. */
export function uuidOfText(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
}

function redriveMapping(
  deployment: MappingDeployment,
  options: RedrivingEngineOptions,
  routes: CandidateRoutes,
): RedriveMapping {
  const { mapping, fn, pipe } = deployment;
  const { functionArn } = mapping;
  const own = routeTo(options.invokers.invokerOf(fn), functionArn, fn.concurrency);
  return redriveMappingOf(deployment, (redrive) => {
    const route = redrive.to.kind === "candidate" ? routes.routeOf(redrive, functionArn) : own;
    if (route === undefined || pipe === undefined) return route;
    // What was given up is a record of the source: it goes the whole way again.
    return { ...route, invoker: pipedInvoker(options.invokers, pipe, route.invoker, options) };
  });
}

function routeTo(invoker: FunctionInvoker, functionArn: string, concurrency: number): RedriveRoute {
  return { invoker, functionArn, concurrency, explain: (key) => invoker.explain(key, functionArn) };
}

/** Functions that redrives name in the place of their mapping's, opened when they are first asked for. */
class CandidateRoutes {
  readonly #options: RedrivingEngineOptions;
  readonly #routes = new Map<string, { readonly invoker: FunctionInvoker; readonly concurrency: number }>();
  readonly #opening = new Set<string>();

  constructor(options: RedrivingEngineOptions) {
    this.#options = options;
  }

  /** `undefined`: it is not open yet, or cannot be. */
  routeOf({ to }: Redrive, functionArn: string): RedriveRoute | undefined {
    if (to.kind !== "candidate") return undefined;
    const [name = ""] = to.functionName.split(":");
    const route = this.#routes.get(name);
    if (route === undefined) {
      void this.#open(name);
      return undefined;
    }
    const prefix = functionArn.split(":").slice(0, ARN_PARTS).join(":");
    return routeTo(route.invoker, `${prefix}:${to.functionName}`, route.concurrency);
  }

  async #open(name: string): Promise<void> {
    if (this.#opening.has(name)) return;
    this.#opening.add(name);
    const { invokers, telemetry, functions } = this.#options;
    try {
      const fn = await functions.openFunction(name);
      this.#routes.set(name, { invoker: invokers.invokerOf(fn), concurrency: fn.concurrency });
    } catch (error) {
      const message = "the function that a redrive names cannot be opened";
      telemetry.log("warn", message, { function: name, error: describeError(error) });
    } finally {
      this.#opening.delete(name);
    }
  }
}

/** `arn:aws:lambda:REGION:ACCOUNT:function`, before the name. */
const ARN_PARTS = 6;
