import {
  type Engine,
  type MappingExplanation,
  type PartReasons,
  reasonsOf,
  STANDSTILL_MS,
} from "../../../src/engine/engine.ts";
import { ALL_SHARDS } from "../../../src/engine/reasons.ts";
import { isNoReason, type Reason } from "../../../src/model/reason.ts";
import { type TruthWorld, untruthOf } from "../checkers/s2-truth.ts";
import { brokenChain, isPointing, type SaidOfMapping } from "../checkers/s3-chain.ts";
import type { SimProcess } from "./process.ts";

/** What a mapping holds, by the world's own count. */
export interface HeldWork {
  readonly uuid: string;
  readonly name: string;
  /** `undefined`: of a queue, which is not divided. */
  readonly shardId: string | undefined;
  readonly hasWork: boolean;
  /** Whom the store names as its owner. */
  readonly owner: string | undefined;
  /** As long as it stays as it is, nothing was brought to an end. */
  readonly progress: string;
}

export interface StandstillWatchOptions {
  readonly nowMs: () => number;
  /** Those that work, and those that are being stopped. */
  readonly live: () => readonly { readonly process: SimProcess; readonly engine: Engine }[];
  readonly work: () => readonly HeldWork[];
  readonly truth: TruthWorld;
  readonly breach: (invariant: "S1" | "S2" | "S3", message: string) => void;
  /** A part stood still, and said why. */
  readonly onReason: (code: string) => void;
}

/** A rare state: whatever holds it up, it says so. */
export const STOOD_STILL = "a part stood still and said why";

const LOOK_MS = 5_000;
/**
 * What stood in the way is gone, and was told until then: so long until what goes on again has come to a durable end.
 * Leases are watched for their time first, records are read, run and settled, and a slow store takes a checkpoint.
 */
const GOING_AGAIN_MS = 2 * LOOK_MS;

/** What one process says of one mapping. */
interface Word extends SaidOfMapping {
  readonly process: SimProcess;
  readonly explanation: MappingExplanation;
  /** It is neither being opened nor being stopped. */
  readonly isEnabled: boolean;
}

/**
 * Asks every process why its parts are where they are, every five seconds.
 *
 * S1: whoever holds work and has brought nothing of it to an end for T says why, and so does somebody of a shard that
 * nobody works on. Who is being stopped speaks for what it still owns, and for nothing else. S2: what is said is true
 * of the world. S3: who waits for room points to a cause. What is work and what is progress the world says; the reasons
 * are the engine's. A process that was paused, or has begun with the part later, has T from then on. A part of which a
 * reason was given has a while longer once that is gone.
 */
export class StandstillWatch {
  readonly #options: StandstillWatchOptions;
  readonly #progress = new Map<string, { readonly token: string; readonly sinceMs: number }>();
  /** When a process was first seen to have a part, or nobody to have it, without a pause since. */
  readonly #heldSinceMs = new Map<string, number>();
  /** When somebody last gave a reason for a part. */
  readonly #reasonMs = new Map<string, number>();
  #nextLookMs = 0;
  readonly #told = new Set<string>();

  constructor(options: StandstillWatchOptions) {
    this.#options = options;
  }

  look(): void {
    const nowMs = this.#options.nowMs();
    if (nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + LOOK_MS;
    const work = this.#options.work();
    const words = this.#words(new Map(work.map(({ uuid, name }) => [uuid, name])));
    for (const [uuid, ofMapping] of words) this.#judgeTruth(uuid, ofMapping);
    const held = new Set<string>();
    for (const each of work) this.#judgeStanding(each, words, held, nowMs);
    for (const key of this.#heldSinceMs.keys()) if (!held.has(key)) this.#heldSinceMs.delete(key);
  }

  #words(names: ReadonlyMap<string, string>): ReadonlyMap<string, readonly Word[]> {
    const running = this.#options.live().filter(({ process }) => process.state === "running");
    const words = [...names].map(([uuid, name]) => {
      const ofMapping = running.flatMap(({ process, engine }): Word[] => {
        const explanation = engine.explain(uuid);
        if (explanation === undefined) return [];
        const parts = reasonsOf(explanation, process.clock.now());
        const isEnabled = engine
          .status()
          .some((status) => status.uuid === uuid && status.state === "Enabled");
        return [{ name, process, explanation, parts, isEnabled }];
      });
      return [uuid, ofMapping] as const;
    });
    return new Map(words);
  }

  #judgeTruth(uuid: string, words: readonly Word[]): void {
    for (const { process, explanation, parts, name, isEnabled } of words) {
      if (!isEnabled) continue;
      for (const part of parts) {
        for (const reason of part.reasons) {
          const given = { process, part, reason, explanation };
          const untruth = untruthOf(given, this.#options.truth, uuid);
          if (untruth === undefined) continue;
          this.#breach(
            "S2",
            `${name} ${part.part}`,
            `${process.owner} says of ${part.part} of ${name}: ${textOf(reason)}; but ${untruth}`,
          );
        }
      }
    }
  }

  #judgeStanding(
    work: HeldWork,
    words: ReadonlyMap<string, readonly Word[]>,
    held: Set<string>,
    nowMs: number,
  ): void {
    const sinceMs = this.#standingSince(work, nowMs);
    const ofMapping = words.get(work.uuid) ?? [];
    const working = ofMapping.filter(({ process }) => process.stopCalledAt === undefined);
    const holders = holdersOf(work, working, ofMapping);
    const watchers = holders.length === 0 ? working : holders;
    const stoodMs = watchers.map(({ process }) => {
      const key = `${holders.length === 0 ? "nobody " : ""}${process.owner} ${work.uuid} ${work.shardId}`;
      held.add(key);
      const heldSinceMs = this.#heldSinceMs.get(key) ?? nowMs;
      this.#heldSinceMs.set(key, heldSinceMs);
      // Where nothing happens nobody looks, not even while an update has the mapping away.
      return nowMs - Math.max(sinceMs, heldSinceMs, process.begunAt.get(work.uuid) ?? 0);
    });
    if (!work.hasWork) return;
    const given = givenBy(watchers.flatMap(({ parts }) => partsOf(parts, work.shardId)));
    if (given.length > 0) this.#reasonMs.set(keyOf(work), nowMs);
    if (holders.length > 0) {
      for (const [index, word] of holders.entries()) {
        const forMs = stoodMs[index] ?? 0;
        if (forMs >= STANDSTILL_MS) this.#judge(work, word, words, forMs);
      }
      return;
    }
    const longestMs = Math.max(0, ...stoodMs);
    if (longestMs >= STANDSTILL_MS) this.#judgeUnheld(work, working, longestMs);
  }

  #standingSince(work: HeldWork, nowMs: number): number {
    const { progress, hasWork } = work;
    const key = keyOf(work);
    const known = this.#progress.get(key);
    if (hasWork && known?.token === progress) return known.sinceMs;
    this.#progress.set(key, { token: progress, sinceMs: nowMs });
    return nowMs;
  }

  #judge(work: HeldWork, word: Word, words: ReadonlyMap<string, readonly Word[]>, stoodMs: number): void {
    const parts = partsOf(word.parts, work.shardId);
    const given = givenBy(parts);
    const isUnknown = given.some(({ code }) => code === "unknown");
    if (!this.#isExplained(work, given) || isUnknown) {
      this.#breachS1(work, `in ${word.process.owner} and says: ${saidBy(parts)}`, stoodMs);
      return;
    }
    const own = [...words.values()].flat().filter(({ process }) => process === word.process);
    for (const part of parts) {
      for (const reason of part.reasons.filter(isPointing)) {
        const broken = brokenChain(reason, part, word, own);
        if (broken === undefined) continue;
        const message = `${word.process.owner} says of ${part.part} of ${work.name}: ${textOf(reason)}; ${broken}`;
        this.#breach("S3", `${work.uuid} ${part.part}`, message);
      }
    }
  }

  /** Somebody has to say why nobody has it. */
  #judgeUnheld(work: HeldWork, words: readonly Word[], stoodMs: number): void {
    const parts = words.flatMap((word) => partsOf(word.parts, work.shardId));
    if (!this.#isExplained(work, givenBy(parts)))
      this.#breachS1(work, `with nobody, and they say: ${saidBy(parts)}`, stoodMs);
  }

  /** A reason is given, or was until a moment ago. */
  #isExplained(work: HeldWork, given: readonly Reason[]): boolean {
    for (const { code } of given) this.#options.onReason(code);
    const lastMs = this.#reasonMs.get(keyOf(work)) ?? Number.NEGATIVE_INFINITY;
    return this.#options.nowMs() - lastMs <= GOING_AGAIN_MS;
  }

  #breachS1({ uuid, name, shardId }: HeldWork, says: string, stoodMs: number): void {
    const where = shardId === undefined ? name : `${shardId} of ${name}`;
    this.#breach("S1", `${uuid} ${shardId}`, `${where} stands still for ${Math.round(stoodMs)} ms ${says}`);
  }

  /** Once of each part. */
  #breach(invariant: "S1" | "S2" | "S3", where: string, message: string): void {
    const key = `${invariant} ${where}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#options.breach(invariant, message);
  }
}

function keyOf({ uuid, shardId }: HeldWork): string {
  return `${uuid} ${shardId}`;
}

/** A shard that is drained at a stop is renewed until then: others see that its owner lives. */
function holdersOf(
  { shardId, owner }: HeldWork,
  working: readonly Word[],
  ofMapping: readonly Word[],
): readonly Word[] {
  const holders = working.filter(({ explanation }) => hasPart(explanation, shardId));
  if (holders.length > 0) return holders;
  return ofMapping.filter(
    ({ explanation, process }) => process.owner === owner && hasPart(explanation, shardId),
  );
}

function hasPart(explanation: MappingExplanation, shardId: string | undefined): boolean {
  if (explanation.kind === "queue") return true;
  return explanation.shards.some((shard) => shard.shardId === shardId);
}

/** Those of a shard with its lanes, and of all shards together; of a queue all. */
function partsOf(parts: readonly PartReasons[], shardId: string | undefined): readonly PartReasons[] {
  if (shardId === undefined) return parts;
  return parts.filter(
    ({ part }) => part === shardId || part.startsWith(`${shardId} `) || part === ALL_SHARDS,
  );
}

function givenBy(parts: readonly PartReasons[]): readonly Reason[] {
  return parts.flatMap((part) => part.reasons).filter(({ code }) => !isNoReason(code));
}

function saidBy(parts: readonly PartReasons[]): string {
  return parts.map(({ part, reasons }) => `${part}: ${reasons.map(textOf).join(", ")}`).join("; ");
}

function textOf({ code, facts }: Reason): string {
  return `${code} ${JSON.stringify(facts)}`;
}
