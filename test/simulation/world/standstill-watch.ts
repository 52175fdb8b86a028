import type { Engine, MappingExplanation } from "../../../src/engine/engine.ts";
import { type PartReasons, reasonsOf, STANDSTILL_MS } from "../../../src/engine/reasons.ts";
import { isNoReason } from "../../../src/model/reason.ts";
import type { SimProcess } from "./process.ts";

/** What a mapping holds, by the world's own count. */
export interface HeldWork {
  readonly uuid: string;
  readonly name: string;
  /** `undefined`: of a queue, which is not divided. */
  readonly shardId: string | undefined;
  readonly hasWork: boolean;
  /** As long as it stays as it is, nothing was brought to an end. */
  readonly progress: string;
}

export interface StandstillWatchOptions {
  readonly nowMs: () => number;
  readonly working: () => readonly { readonly process: SimProcess; readonly engine: Engine }[];
  readonly work: () => readonly HeldWork[];
  readonly breach: (message: string) => void;
  /** A part stood still, and said why. */
  readonly onReason: (code: string) => void;
}

/** A rare state: whatever holds it up, it says so. */
export const STOOD_STILL = "a part stood still and said why";

const LOOK_MS = 5_000;

/**
 * I24: whoever holds work and has brought nothing of it to an end for T says why. What is work and what is progress the
 * world says; the reasons are the engine's. A process that was paused, or has begun with the part later, has T from
 * then on.
 */
export class StandstillWatch {
  readonly #options: StandstillWatchOptions;
  readonly #progress = new Map<string, { readonly token: string; readonly sinceMs: number }>();
  /** When a process was first seen to have a part, without a pause since. */
  readonly #heldSinceMs = new Map<string, number>();
  #nextLookMs = 0;
  readonly #told = new Set<string>();

  constructor(options: StandstillWatchOptions) {
    this.#options = options;
  }

  look(): void {
    const nowMs = this.#options.nowMs();
    if (nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + LOOK_MS;
    const held = new Set<string>();
    const running = this.#options.working().filter(({ process }) => process.state === "running");
    const said = new Map<string, MappingExplanation | undefined>();
    for (const work of this.#options.work()) {
      const sinceMs = this.#standingSince(work, nowMs);
      for (const { process, engine } of running) {
        const whole = `${process.owner} ${work.uuid}`;
        // Of all its shards at once.
        if (!said.has(whole)) said.set(whole, engine.explain(work.uuid));
        const explanation = partOf(said.get(whole), work.shardId);
        if (explanation === undefined) continue;
        const key = `${process.owner} ${work.uuid} ${work.shardId}`;
        held.add(key);
        const heldSinceMs = this.#heldSinceMs.get(key) ?? nowMs;
        this.#heldSinceMs.set(key, heldSinceMs);
        const stoodMs = nowMs - Math.max(sinceMs, heldSinceMs);
        if (!work.hasWork || stoodMs < STANDSTILL_MS) continue;
        this.#judge(work, process, reasonsOf(explanation, process.clock.now()), stoodMs);
      }
    }
    for (const key of this.#heldSinceMs.keys()) if (!held.has(key)) this.#heldSinceMs.delete(key);
  }

  #standingSince({ uuid, shardId, progress, hasWork }: HeldWork, nowMs: number): number {
    const key = `${uuid} ${shardId}`;
    const known = this.#progress.get(key);
    if (hasWork && known?.token === progress) return known.sinceMs;
    this.#progress.set(key, { token: progress, sinceMs: nowMs });
    return nowMs;
  }

  #judge(work: HeldWork, process: SimProcess, parts: readonly PartReasons[], stoodMs: number): void {
    const reasons = parts.flatMap((part) => part.reasons);
    const given = reasons.filter(({ code }) => !isNoReason(code));
    for (const { code } of given) this.#options.onReason(code);
    const isUnknown = given.some(({ code }) => code === "unknown");
    if (given.length > 0 && !isUnknown) return;
    const key = `${work.uuid} ${work.shardId}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const said = parts.map(({ part, reasons: all }) => `${part}: ${all.map(textOf).join(", ")}`).join("; ");
    const where = work.shardId === undefined ? work.name : `${work.shardId} of ${work.name}`;
    this.#options.breach(
      `${where} stands still for ${Math.round(stoodMs)} ms in ${process.owner} and says: ${said}`,
    );
  }
}

function textOf({ code, facts }: PartReasons["reasons"][number]): string {
  return `${code} ${JSON.stringify(facts)}`;
}

/** What a process says of a shard, or of a queue as a whole; `undefined`: it has no part in it. */
function partOf(
  explanation: MappingExplanation | undefined,
  shardId: string | undefined,
): MappingExplanation | undefined {
  if (explanation === undefined || explanation.kind === "queue") return explanation;
  const shards = explanation.shards.filter((shard) => shard.shardId === shardId);
  return shards.length === 0 ? undefined : { ...explanation, shards };
}
