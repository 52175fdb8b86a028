import type { ControlPlane } from "../control/control-plane.ts";
import type { FrontPlace } from "../control/routes/route-url.ts";
import type { Adapters, RunningApi, RunningFront, RunTelemetry } from "./adapters.ts";
import type { RunOptions } from "./run-options.ts";

/** HTTP requests from outside, as `run` serves them: opened behind the control plane, and closed before it. */
export class RunFront {
  readonly #options: Pick<RunOptions, "front" | "place">;
  readonly #adapters: Pick<Adapters, "startFront">;
  #served: RunningFront | undefined;

  constructor(options: Pick<RunOptions, "front" | "place">, adapters: Pick<Adapters, "startFront">) {
    this.#options = options;
    this.#adapters = adapters;
  }

  get url(): string | undefined {
    return this.#served?.url;
  }

  get place(): FrontPlace {
    return { url: () => this.url, domain: this.#options.front.domain };
  }

  /** @throws MillraceError ERR_MILLRACE_CONFIG */
  async start(control: ControlPlane, { log, front: telemetry }: RunTelemetry): Promise<void> {
    const { front, place } = this.#options;
    this.#served = await this.#adapters.startFront(front, { control, place, telemetry, log });
  }

  async drain(drainMs: number): Promise<void> {
    await this.#served?.drain(drainMs);
  }

  async close(): Promise<void> {
    await this.#served?.close();
  }
}

/** Says that all is open, and where. */
export async function tellStarted(
  control: ControlPlane,
  version: string,
  telemetry: RunTelemetry,
  api: RunningApi | undefined,
  { url: frontAddress }: RunFront,
): Promise<void> {
  const mappings = (await control.mappings.list({})).filter(({ state }) => state !== "Disabled").length;
  const { url: address, metricsUrl: metricsAddress, sourcesUrl: sourcesAddress } = api ?? {};
  const places = { address, metricsAddress, sourcesAddress, frontAddress };
  telemetry.log("info", "started", { version, mappings, ...places, pid: process.pid });
  if (mappings === 0 && !(await hasOtherWork(control)))
    telemetry.log("warn", "no mapping is enabled: there is nothing to do", {});
}

/** Ticks, requests or events come also where nothing is polled. */
async function hasOtherWork({ routes, timed, events, functions }: ControlPlane): Promise<boolean> {
  if (routes.routes.length > 0 || (events?.backlog.length ?? 0) > 0) return true;
  const hasEvents = functions.some(
    ({ invokeConfigs, deadLetters }) => (invokeConfigs?.size ?? 0) + (deadLetters?.size ?? 0) > 0,
  );
  return hasEvents || (await timed.schedules.list()).length + (await timed.rules.list()).length > 0;
}
