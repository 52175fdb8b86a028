import { setTimeout as sleep } from "node:timers/promises";
import type { FunctionServer } from "./function-server.ts";
import type { Ledger } from "./ledger.ts";
import type { LoadEngine } from "./load-engine.ts";
import type { FaultRecord } from "./load-result.ts";
import type { MemoryWatch } from "./memory-watch.ts";
import type { ScenarioFault } from "./scenario-schema.ts";

export interface FaultScheduleOptions {
  readonly faults: readonly ScenarioFault[];
  readonly engine: LoadEngine;
  readonly fn: FunctionServer;
  readonly ledger: Ledger;
  readonly memory: MemoryWatch;
  /** How far before a crash the last checkpoint may lie, milliseconds. */
  readonly checkpointAgeMs: number;
  /** Milliseconds since the first record was due. */
  readonly elapsed: () => number;
  /** Milliseconds on the ledger's clock. */
  readonly now: () => number;
  readonly onFault: (fault: ScenarioFault, isOver: boolean) => void;
}

/** Lets things go wrong when the scenario says so. */
export class FaultSchedule {
  readonly records: FaultRecord[] = [];
  readonly #options: FaultScheduleOptions;

  constructor(options: FaultScheduleOptions) {
    this.#options = options;
  }

  /** Resolves when the last fault is over. @throws MillraceError when the engine does not come up again. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.faults.map((fault) => this.#runOne(fault, signal)));
  }

  async #runOne(fault: ScenarioFault, signal: AbortSignal): Promise<void> {
    const { elapsed, onFault } = this.#options;
    try {
      await sleep(Math.max(0, fault.atSeconds * 1000 - elapsed()), undefined, { signal });
    } catch {
      return;
    }
    const fromMs = elapsed();
    onFault(fault, false);
    await this.#happen(fault);
    this.records.push({ kind: fault.kind, fromMs, toMs: elapsed() });
    onFault(fault, true);
  }

  async #happen({ kind, seconds }: ScenarioFault): Promise<void> {
    const { engine, fn, ledger, memory, checkpointAgeMs, now } = this.#options;
    switch (kind) {
      case "crash":
        await engine.kill();
        ledger.crashed(now(), checkpointAgeMs);
        await sleep(seconds * 1000);
        memory.restarted();
        await engine.start();
        return;
      case "pause":
        fn.isEnginePaused = true;
        engine.pause();
        // An answer that is on its way may be read after the time-out has struck.
        ledger.crashed(now(), 0);
        await sleep(seconds * 1000);
        engine.resume();
        await sleep(RESUME_MS);
        fn.isEnginePaused = false;
        return;
      default:
        fn.fault = kind;
        await sleep(seconds * 1000);
        fn.fault = undefined;
    }
  }
}

/** What a process that goes on needs to read the answers that have come meanwhile. */
const RESUME_MS = 500;
