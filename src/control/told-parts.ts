import type { LaneExplanation } from "../engine/engine.ts";
import { type FunctionErrors, withoutTexts } from "../model/function-error.ts";
import { isNoReason, type Reason, type ReasonCode, reason } from "../model/reason.ts";
import { GRAVITY, gravityOf } from "./gravity.ts";
import { mergedErrors } from "./merged-errors.ts";
import type { MappingSnapshot, SeenPart } from "./process-snapshot.ts";
import { remedyOf, runbookOf } from "./remedies.ts";
import { FRESH_MS, type ProcessStanding, type SeenProcess, type WholeView } from "./whole-view.ts";

/** A reason as callers are told it; moments are ISO texts. */
export interface ToldReason {
  readonly code: ReasonCode;
  readonly since: string | undefined;
  /** Until when it is by design, or when the next try is. */
  readonly until: string | undefined;
  readonly facts: Reason["facts"];
  /** What is in the way, in words. */
  readonly says: string;
  readonly remedy: string;
  readonly runbook: string;
}

/** A part of a mapping, by the word of the process that works on it. */
export interface ToldPart {
  readonly part: string;
  readonly process: ToldProcess;
  readonly holdsWork: boolean;
  /** Epoch milliseconds: since when nothing of it was brought to an end. */
  readonly sinceMs: number;
  /** Nothing was brought to an end for half a minute. */
  readonly stands: boolean;
  readonly gravity: number;
  readonly reasons: readonly ToldReason[];
  readonly lane: LaneExplanation | undefined;
  /** Lanes of the same shard that are in a reason of their own. */
  readonly heldLanes: readonly number[];
  /** How far the shard is behind, milliseconds. */
  readonly behindMs: number | undefined;
}

export interface ToldProcess {
  readonly processId: string;
  readonly isHere: boolean;
  readonly standing: ProcessStanding;
  /** How old its word is. */
  readonly ageMs: number;
}

/** What all processes say of one mapping. */
export interface MappingSight {
  readonly processes: readonly ToldProcess[];
  /** Worst first. */
  readonly parts: readonly ToldPart[];
  /** Shards that processes which live work on. */
  readonly shards: number;
  readonly errors: FunctionErrors;
}

/** What one process knows of a mapping. */
export interface SeenMapping {
  readonly process: SeenProcess;
  readonly mapping: MappingSnapshot;
}

const LANE = " lane ";
const STANDS_MS = 30_000;
/** So long the word of a process that is gone stands beside those of others who run the mapping. */
const LAST_WORD_MS = 120_000;

export function sightOf(uuid: string, { processes, nowMs }: WholeView, mayInspect: boolean): MappingSight {
  const words = processes.flatMap((process) => {
    const mapping = process.snapshot.mappings.find((each) => each.uuid === uuid);
    return mapping === undefined ? [] : [{ process, mapping }];
  });
  return sightOfSeen(words, nowMs, mayInspect);
}

export function sightOfSeen(words: readonly SeenMapping[], nowMs: number, mayInspect: boolean): MappingSight {
  const told = standingParts(words, nowMs).map((part) => toldPart(part));
  const parts = [...told, ...differingStores(words.filter(isLiving), nowMs)];
  const errors = mergedErrors(words.map(({ mapping }) => mapping.errors));
  return {
    processes: words.map(({ process }) => toldProcess(process)),
    parts: parts.toSorted(worstFirst),
    shards: words.filter(isLiving).reduce((sum, { mapping }) => sum + mapping.shards, 0),
    errors: mayInspect ? errors : withoutTexts(errors),
  };
}

/** How many parts somebody has to look at, and the worst of them: what a list shows, without telling all. */
export function troubleOf(
  words: readonly SeenMapping[],
  nowMs: number,
): { readonly heldUp: number; readonly worst: ToldPart | undefined } {
  const differing = differingStores(words.filter(isLiving), nowMs).filter(isBad);
  const bad = standingParts(words, nowMs).filter(isBad);
  let first: StandingPart | undefined;
  for (const part of bad) if (first === undefined || worstFirst(part, first) < 0) first = part;
  const told = [...(first === undefined ? [] : [toldPart(first)]), ...differing].toSorted(worstFirst);
  return { heldUp: bad.length + differing.length, worst: told[0] };
}

/** A part whose word counts, judged and not told yet: of many hundreds a few are told. */
interface StandingPart {
  readonly seen: SeenPart;
  readonly word: SeenMapping;
  readonly sinceMs: number;
  readonly gravity: number;
  readonly stands: boolean;
  /** By shard: made where it is asked for. */
  readonly heldLanes: () => ReadonlyMap<string, readonly number[]>;
}

function isLiving({ process }: SeenMapping): boolean {
  return process.standing === "lives";
}

function standingParts(words: readonly SeenMapping[], nowMs: number): readonly StandingPart[] {
  if (words.every(({ mapping }) => mapping.parts.length === 0)) return [];
  const living = words.filter(isLiving);
  const held = new Set(living.flatMap(({ mapping }) => heldShards(mapping)));
  const isRun = living.some(({ mapping }) => mapping.explanation !== undefined);
  const standing = words.flatMap((word) => {
    const { process, mapping } = word;
    const isAlive = isLiving(word);
    const own = new Set(isAlive ? heldShards(mapping) : []);
    const isHeard = (part: SeenPart) =>
      isAlive
        ? isOwnWord(part, own, held)
        : isLastWord(part, held) && (!isRun || process.ageMs <= LAST_WORD_MS);
    const stoodUntilMs = isAlive ? nowMs : nowMs - process.ageMs;
    let lanes: ReadonlyMap<string, readonly number[]> | undefined;
    const heldLanes = () => {
      lanes ??= heldLanesOf(mapping);
      return lanes;
    };
    return mapping.parts.filter(isHeard).map((seen): StandingPart => {
      const { sinceMs, holdsWork, reasons } = seen;
      const stands = holdsWork && stoodUntilMs - sinceMs >= STANDS_MS;
      // What says that nothing stands still weighs nothing.
      const gravity = Math.max(GRAVITY.none, ...reasons.map(({ code }) => gravityOf(code)));
      return { seen, word, sinceMs, gravity, stands, heldLanes };
    });
  });
  return distinct(standing);
}

type Ranked = Pick<ToldPart, "gravity" | "stands" | "sinceMs">;

export function worstFirst(a: Ranked, b: Ranked): number {
  return rankOf(b) - rankOf(a) || a.sinceMs - b.sinceMs;
}

/** What stands for so long comes before what has just failed, whatever it is. */
function rankOf({ gravity, stands }: Ranked): number {
  return gravity + (stands && gravity >= GRAVITY.wait ? 1 : 0);
}

/** Somebody has to look at it: it fails, or waits and has brought nothing to an end for half a minute. */
export function isBad({ gravity, stands }: Pick<ToldPart, "gravity" | "stands">): boolean {
  return gravity >= GRAVITY.failure || (stands && gravity >= GRAVITY.wait);
}

export function toldReason(told: Reason): ToldReason {
  const { code, sinceMs, untilMs, facts } = told;
  const { says, toDo } = remedyOf(told);
  return {
    code,
    since: iso(sinceMs),
    until: iso(untilMs),
    facts,
    says,
    remedy: toDo,
    runbook: runbookOf(code),
  };
}

function toldPart({ seen, word, gravity, stands, heldLanes }: StandingPart): ToldPart {
  const { part, holdsWork, sinceMs, reasons } = seen;
  const { shardId } = placeOf(part);
  const given = reasons.filter(({ code }) => !isNoReason(code));
  const { shard, lane } = explainedPlace(seen, word);
  return {
    part,
    process: toldProcess(word.process),
    holdsWork,
    sinceMs,
    stands,
    gravity,
    reasons: given.toSorted((a, b) => gravityOf(b.code) - gravityOf(a.code)).map(toldReason),
    lane,
    heldLanes: heldLanes().get(shardId) ?? [],
    behindMs: shard?.oldestAgeMs,
  };
}

function explainedPlace({ part }: SeenPart, { mapping: { explanation } }: SeenMapping) {
  const { shardId, lane } = placeOf(part);
  const shard =
    explanation?.kind === "stream" ? explanation.shards.find((each) => each.shardId === shardId) : undefined;
  return { shard, lane: shard?.lanes.find((each) => each.lane === lane) };
}

/** By shard, lanes that are in a reason of their own. */
function heldLanesOf({ parts }: MappingSnapshot): ReadonlyMap<string, readonly number[]> {
  const held = new Map<string, number[]>();
  for (const { part, reasons } of parts) {
    if (!reasons.some(({ code }) => gravityOf(code) >= GRAVITY.wait)) continue;
    const { shardId, lane } = placeOf(part);
    if (lane === undefined) continue;
    const known = held.get(shardId);
    if (known === undefined) held.set(shardId, [lane]);
    else known.push(lane);
  }
  return held;
}

/** `shard-1 lane 0`: names of shards have no spaces. */
export function placeOf(part: string): { readonly shardId: string; readonly lane: number | undefined } {
  const at = part.lastIndexOf(LANE);
  const lane = at === -1 ? Number.NaN : Number(part.slice(at + LANE.length));
  return Number.isInteger(lane) ? { shardId: part.slice(0, at), lane } : { shardId: part, lane: undefined };
}

export function toldProcess({ snapshot, isHere, standing, ageMs }: SeenProcess): ToldProcess {
  return { processId: snapshot.processId, isHere, standing, ageMs };
}

function heldShards({ explanation }: MappingSnapshot): readonly string[] {
  return explanation?.kind === "stream" ? explanation.shards.map(({ shardId }) => shardId) : [];
}

/** About a shard that a living process works on only that one's word counts. */
function isOwnWord({ part }: SeenPart, own: ReadonlySet<string>, held: ReadonlySet<string>): boolean {
  const { shardId } = placeOf(part);
  return !held.has(shardId) || own.has(shardId);
}

/** What a process that is gone said of a shard counts until another one has it. */
function isLastWord({ part }: SeenPart, held: ReadonlySet<string>): boolean {
  return !held.has(placeOf(part).shardId);
}

/** Several processes may say the same of a shard that nobody has. */
function distinct(parts: readonly StandingPart[]): readonly StandingPart[] {
  const told = new Set<string>();
  return parts.filter(({ seen, word }) => {
    if (seen.holdsWork || explainedPlace(seen, word).lane !== undefined) return true;
    const codes = seen.reasons.map(({ code }) => code).filter((code) => !isNoReason(code));
    const key = `${seen.part} ${codes.join()}`;
    const isNew = !told.has(key);
    told.add(key);
    return isNew;
  });
}

/**
 * A broker has divided its shards among members of whom this store's processes are not all: others read the same with
 * another store, or are no millrace.
 */
function differingStores(living: readonly SeenMapping[], nowMs: number): readonly ToldPart[] {
  let held = 0;
  let listed = 0;
  for (const { process, mapping } of living) {
    const { explanation } = mapping;
    if (explanation?.kind !== "stream" || explanation.division?.kind !== "divided") return [];
    const isSettled = nowMs - explanation.division.sinceMs >= STANDS_MS;
    if (!isSettled || process.ageMs > FRESH_MS || mapping.state !== "Enabled") return [];
    held += mapping.shards;
    listed = Math.max(listed, explanation.listed ?? 0);
  }
  const [first] = living;
  if (first === undefined || held >= listed) return [];
  const who = `somebody else, who has ${listed - held} of ${listed} shards,`;
  return [
    {
      part: "all shards",
      process: toldProcess(first.process),
      holdsWork: false,
      sinceMs: nowMs,
      stands: false,
      gravity: gravityOf("storesDiffer"),
      reasons: [toldReason(reason("storesDiffer", { facts: { process: who } }))],
      lane: undefined,
      heldLanes: [],
      behindMs: undefined,
    },
  ];
}

function iso(epochMs: number | undefined): string | undefined {
  return epochMs === undefined ? undefined : new Date(epochMs).toISOString();
}
