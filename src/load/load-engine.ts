import type { EngineProcess } from "./engine-process.ts";

/** What a load test does with the engine under it. */
export type LoadEngine = Pick<
  EngineProcess,
  "address" | "start" | "kill" | "pause" | "resume" | "stop" | "probe" | "close"
>;

/** Something else carries records from the source to the function: it is not ours to start, watch or stop. */
export const NO_ENGINE: LoadEngine = {
  address: () => undefined,
  start: async () => {},
  kill: async () => {},
  pause: () => {},
  resume: () => {},
  stop: async () => 0,
  probe: async () => undefined,
  close: async () => {},
};
