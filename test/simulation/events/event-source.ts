import { FUNCTION_LANE, newAttemptState } from "../../../src/model/async-item.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { FULL_ITEMS } from "./event-functions.ts";
import type { EventLedger } from "./event-ledger.ts";
import type { Call, EventProcess } from "./event-process.ts";

const LARGE_BYTES = 1024 * 1024;
const FLOOD = { isolation: 1_100, large: 120 } as const;
const FLOOD_THROTTLED = 60;

export type EventFlavour = "swarm" | "calm" | "isolation" | "large";

export function flavourOf(seed: number): EventFlavour {
  if (seed % 10 === 3) return "isolation";
  if (seed % 20 === 7) return "large";
  return seed % 4 === 0 ? "calm" : "swarm";
}

/** What those who bring events know of their world. */
export interface SourceWorld {
  readonly flavour: EventFlavour;
  readonly functions: ReadonlyMap<string, unknown>;
  readonly living: readonly EventProcess[];
  readonly ledger: EventLedger;
  readonly time: VirtualTime;
  readonly counts: { accepted: number; full: number };
  again(random: SeededRandom, between: readonly [number, number], work: () => void): void;
}

/** Who brings events to the processes of a world. */
export class EventSource {
  readonly #world: SourceWorld;
  readonly #random: SeededRandom;
  #ids = 0;

  constructor(world: SourceWorld, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  bring(): void {
    const names = [...this.#world.functions.keys()].filter((name) => name !== "sink");
    const name = this.#random.chance(0.05) ? "nobody" : this.#random.pick(names);
    const many = this.#world.flavour === "calm" && this.#random.chance(0.1) ? 3 * FULL_ITEMS : 1;
    for (let count = 0; count < many; count++) this.#accept(name, `e${this.#ids++}`);
  }

  flood(): void {
    const isLarge = this.#world.flavour === "large";
    const content = isLarge ? { body: Buffer.alloc(LARGE_BYTES, " ") } : {};
    const floods = { stalled: FLOOD[isLarge ? "large" : "isolation"], throttled: FLOOD_THROTTLED };
    for (const [name, flooded] of Object.entries(floods))
      for (let count = 0; count < flooded; count++) this.#accept(name, `${name}${count}`, content);
    this.#world.time.schedule(20_000, () =>
      this.#world.again(this.#random, [700, 3_000], () => this.#accept("victim", `victim${this.#ids++}`)),
    );
  }

  /** A client of AWS hands the header on by itself. */
  bringNext({ requestId, lineage }: Call): void {
    const [root = "", turn = "0"] = requestId.split("#");
    const id = `${root}#${Number.parseInt(turn, 10) + 1} ${this.#ids++}`;
    this.#accept("loop", id, lineage === undefined ? {} : { lineage });
  }

  #accept(
    name: string,
    id: string,
    { lineage, body = Buffer.from("{}") }: { readonly lineage?: string; readonly body?: Buffer } = {},
  ): void {
    if (this.#world.living.length === 0) return;
    const state = { ...newAttemptState(this.#world.time.now), ...(lineage === undefined ? {} : { lineage }) };
    const item = { id, kind: "invoke" as const, lane: FUNCTION_LANE + name, qualifier: "", body, state };
    void this.#random
      .pick(this.#world.living)
      .events.accept([{ ...item, visibleInMs: 0 }])
      .then(
        (answer) => {
          if (answer === "full") this.#world.counts.full++;
          if (answer !== "accepted") return;
          this.#world.counts.accepted++;
          const kept = this.#world.ledger.items.get(id);
          if (kept === undefined) this.#world.ledger.breach("I31", `${id} was accepted, and is not there`);
          else kept.acceptedMs = state.acceptedMs;
        },
        () => undefined,
      );
  }
}
