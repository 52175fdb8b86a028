import { sleepUnless } from "../../lib/sleep.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueMessage } from "../../ports/queue-source.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { QueueDeployment } from "../engine.ts";
import { GivenUpLog } from "./given-up-log.ts";
import { KeptReceives, type KeptWork } from "./kept-receives.ts";

/** What giving back may take once nobody waits any more. */
const LAST_WORDS_MS = 5_000;

/** Receives of mappings whose configuration changes, from the worker that asked for them to the next. */
export class ReceiveKeep {
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #kept = new Map<string, KeptReceives>();

  constructor(clock: Clock, telemetry: Telemetry) {
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  put({ mapping, source }: QueueDeployment, work: KeptWork): void {
    if (work.receives.length === 0) return;
    void this.#kept.get(mapping.uuid)?.giveBack();
    const givenUp = new GivenUpLog(mapping.name, this.#clock, this.#telemetry);
    const release = async (messages: readonly QueueMessage[], why: string) => {
      givenUp.unseen(messages, why);
      // One try: what fails comes again when its hold ends.
      await (async () => await source.release(messages, 0))().catch(() => undefined);
    };
    const [clock, telemetry] = [this.#clock, this.#telemetry];
    const kept = new KeptReceives({ ...work, source, clock, telemetry, release });
    this.#kept.set(mapping.uuid, kept);
    void kept.back.then(() => {
      if (this.#kept.get(mapping.uuid) === kept) this.#kept.delete(mapping.uuid);
    });
  }

  /** For a worker that starts. Those of another queue go back. */
  take({ mapping, source }: QueueDeployment): KeptWork | undefined {
    const kept = this.#kept.get(mapping.uuid);
    if (kept === undefined) return undefined;
    const { eventSourceArn, kind } = source.description;
    const before = kept.source.description;
    if (before.eventSourceArn === eventSourceArn && before.kind === kind) return kept.take();
    void kept.giveBack();
    return undefined;
  }

  /** The source that they were asked of may be closed. */
  async back(uuid: string): Promise<void> {
    await this.#kept.get(uuid)?.back;
  }

  /** No worker comes any more. What has not come back within this time is not waited for. */
  async end(withinMs: number): Promise<void> {
    const kept = [...this.#kept.values()];
    if (kept.length === 0) return;
    await sleepUnless(Promise.all(kept.map((each) => each.giveBack())), this.#clock, withinMs);
    await sleepUnless(Promise.all(kept.map((each) => each.letGo())), this.#clock, LAST_WORDS_MS);
    for (const each of kept) each.abandon();
  }
}
