import type { Engine, EngineOptions } from "./engine.ts";
import { Supervisor } from "./supervisor.ts";

export function createEngine(options: EngineOptions): Engine {
  return new Supervisor(options);
}
