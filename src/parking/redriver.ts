import type { PartReasons } from "../engine/engine.ts";
import { RepeatedLines } from "../lib/repeated-lines.ts";
import { WakeableLoop } from "../lib/wakeable-loop.ts";
import { describeError } from "../model/errors.ts";
import type { Redrive } from "../model/redrive.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import { MappingDrain } from "./mapping-drain.ts";
import type { RedriveMapping, RedriveSurroundings } from "./redrive-context.ts";

export interface RedriverOptions extends RedriveSurroundings {
  readonly owner: string;
  readonly progress: ProgressStore;
}

/** How often the store is asked what is to be redriven, while any mapping runs here. */
const LOOK_MS = 1_000;

/** The redrives of a process: for each mapping that runs here, and has redrives with something to do, its drain. */
export class Redriver {
  readonly #options: RedriverOptions;
  readonly #lines: RepeatedLines;
  readonly #mappings = new Map<string, RedriveMapping>();
  readonly #drains = new Map<string, MappingDrain>();
  /** Redrives that are done and wait for somebody to retry what is uncertain, at the version at which that was seen. */
  readonly #resting = new Map<string, number>();
  readonly #end = new AbortController();
  readonly #loop: WakeableLoop;
  #looped: Promise<void> | undefined;

  constructor(options: RedriverOptions) {
    const { clock, telemetry } = options;
    this.#options = options;
    this.#lines = new RepeatedLines(clock, telemetry);
    this.#loop = new WakeableLoop({
      clock,
      signal: this.#end.signal,
      pauseMs: () => LOOK_MS,
      turn: () => this.#look(),
    });
  }

  /** The mapping runs here from now on. */
  begin(mapping: RedriveMapping): void {
    if (this.#end.signal.aborted) return;
    this.#mappings.set(mapping.uuid, mapping);
    this.#looped ??= this.#loop.run();
    this.#loop.wake();
  }

  /** Redrives of a mapping that this process hands over, and what each waits for. */
  parts(mappingUuid: string): readonly PartReasons[] {
    return this.#drains.get(mappingUuid)?.parts() ?? [];
  }

  /** It does not run here any more: what the function has comes to its end within `drainMs`. */
  async end(mappingUuid: string, drainMs: number): Promise<void> {
    this.#mappings.delete(mappingUuid);
    await this.#stop(mappingUuid, drainMs);
  }

  async stop(drainMs: number): Promise<void> {
    this.#end.abort();
    this.#mappings.clear();
    await Promise.all([...this.#drains.keys()].map((uuid) => this.#stop(uuid, drainMs)));
    await this.#looped;
  }

  async #stop(mappingUuid: string, drainMs: number): Promise<void> {
    const drain = this.#drains.get(mappingUuid);
    this.#drains.delete(mappingUuid);
    await drain?.stop(drainMs);
  }

  async #look(): Promise<void> {
    if (this.#mappings.size === 0) return;
    try {
      const active = await this.#active();
      if (!this.#end.signal.aborted) this.#update(active);
    } catch (error) {
      const message = "the redrives could not be looked up; trying again";
      this.#lines.write("warn", message, { error: describeError(error) });
    }
  }

  #update(active: readonly Redrive[]): void {
    const perMapping = Map.groupBy(active, ({ mapping }) => mapping);
    for (const [uuid, mapping] of this.#mappings) {
      const redrives = perMapping.get(uuid) ?? [];
      if (redrives.length === 0) void this.#stop(uuid, 0);
      else this.#drainOf(mapping).update(redrives);
    }
  }

  #drainOf(mapping: RedriveMapping): MappingDrain {
    let drain = this.#drains.get(mapping.uuid);
    if (drain === undefined) {
      drain = new MappingDrain({ ...this.#options, mapping });
      this.#drains.set(mapping.uuid, drain);
    }
    return drain;
  }

  /** Those that have something to do. */
  async #active(): Promise<readonly Redrive[]> {
    const { store } = this.#options;
    const pending = (await store.pending()).filter(({ mapping }) => this.#mappings.has(mapping));
    const active: Redrive[] = [];
    for (const redrive of pending) if (!(await this.#isResting(redrive))) active.push(redrive);
    for (const id of this.#resting.keys())
      if (!pending.some((each) => each.id === id)) this.#resting.delete(id);
    return active;
  }

  async #isResting({ id, state, version }: Redrive): Promise<boolean> {
    if (state !== "done") return false;
    if (this.#resting.get(id) === version) return true;
    const counts = await this.#options.store.counts(id);
    if (counts === undefined || counts.uncertain === 0) return false;
    this.#resting.set(id, version);
    return true;
  }
}
