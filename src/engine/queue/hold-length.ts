import type { QueueMapping } from "../../model/mapping.ts";
import type { QueueSource } from "../../ports/queue-source.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { holdMsFor } from "./held-message.ts";

export interface HoldLengthOptions {
  readonly mapping: QueueMapping;
  readonly source: QueueSource;
  readonly functionTimeoutMs: number;
  readonly telemetry: Telemetry;
}

/**
 * How long messages are held from now on. The queue's own visibility time-out may be changed while we run (principle
 * 2).
 */
export class HoldLength {
  readonly #options: HoldLengthOptions;
  #visibilityMs: number;

  constructor(options: HoldLengthOptions) {
    this.#options = options;
    this.#visibilityMs = options.source.description.visibilityMs;
  }

  get ms(): number {
    const { mapping, source, functionTimeoutMs } = this.#options;
    const { visibilityMs } = source.description;
    if (visibilityMs !== this.#visibilityMs) this.#changed(visibilityMs);
    // No mapping is opened on a queue that hides messages for less; one that is made so later loses no hold by it.
    return holdMsFor(mapping.batchingWindowMs, functionTimeoutMs, Math.max(visibilityMs, functionTimeoutMs));
  }

  #changed(visibilityMs: number): void {
    const { mapping, functionTimeoutMs, telemetry } = this.#options;
    const fields = { mapping: mapping.name, visibilityMs, beforeMs: this.#visibilityMs };
    this.#visibilityMs = visibilityMs;
    telemetry.mark("visibility time-out changed while running");
    const text = "the queue's visibility time-out was changed; its messages are held by the new one";
    if (visibilityMs >= functionTimeoutMs) telemetry.log("info", text, fields);
    else
      telemetry.log(
        "warn",
        "the queue's visibility time-out was made shorter than the function's timeoutSeconds; its messages are held for that",
        { ...fields, functionTimeoutMs },
      );
  }
}
