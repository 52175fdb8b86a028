import { monitorEventLoopDelay } from "node:perf_hooks";
import { Histogram, type Registry } from "prom-client";

/** How often the probe asks for its turn: shorter steps it does not see. */
const RESOLUTION_MS = 20;
const LOOK_MS = 1_000;
const NANOSECONDS = 1e9;
/**
 * Up to the bound of 200 ms that no step of the engine's own may reach, and what a function module in this process may
 * cost.
 */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30];

/**
 * The longest time of each second for which nothing else had its turn on the event loop: a step of ours, of a function
 * module that runs on this thread, of the garbage collector, or a machine that gave the process no time.
 */
export function addEventLoopProbe(registry: Registry): void {
  const histogram = new Histogram({
    name: "millrace_event_loop_step_seconds",
    help: "Longest time that one step held the event loop, of each second.",
    buckets: BUCKETS,
    registers: [registry],
  });
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const look = () => {
    // What is measured is the time between two turns of the probe.
    if (delays.count > 0) histogram.observe(Math.max(0, delays.max / NANOSECONDS - RESOLUTION_MS / 1_000));
    delays.reset();
  };
  setInterval(look, LOOK_MS).unref();
}
