import type { LaneExplanation } from "../engine/engine.ts";
import { type FunctionErrorEntry, type FunctionErrors, withoutTexts } from "../model/function-error.ts";
import { isNoReason, type Reason, type ReasonCode, reason } from "../model/reason.ts";
import { GRAVITY, gravityOf } from "./gravity.ts";
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

/** One process of one mapping. */
interface Word {
  readonly seen: SeenProcess;
  readonly mapping: MappingSnapshot;
  readonly process: ToldProcess;
}

const STANDS_MS = 30_000;
const ERRORS_MAX = 20;
/** So long the word of a process that is gone stands beside those of others who run the mapping. */
const LAST_WORD_MS = 120_000;

export function sightOf(uuid: string, { processes, nowMs }: WholeView, mayInspect: boolean): MappingSight {
  const words = processes.flatMap((seen) => {
    const mapping = seen.snapshot.mappings.find((each) => each.uuid === uuid);
    return mapping === undefined ? [] : [{ seen, mapping, process: toldProcess(seen) }];
  });
  const living = words.filter(({ seen }) => seen.standing === "lives");
  const held = new Set(living.flatMap(({ mapping }) => heldShards(mapping)));
  const isRun = living.some(({ mapping }) => mapping.explanation !== undefined);
  const told = words.flatMap(({ seen, mapping, process }) =>
    mapping.parts
      .filter((part) =>
        seen.standing === "lives"
          ? isOwnWord(part, mapping, held)
          : isLastWord(part, held) && (!isRun || seen.ageMs <= LAST_WORD_MS),
      )
      .map((part) => toldPart(part, mapping, process, nowMs)),
  );
  const parts = distinct([...told, ...differingStores(living, nowMs)]);
  const errors = mergedErrors(words.map(({ mapping }) => mapping.errors));
  return {
    processes: words.map(({ process }) => process),
    parts: parts.toSorted((a, b) => rankOf(b) - rankOf(a) || a.sinceMs - b.sinceMs),
    shards: living.reduce((sum, { mapping }) => sum + mapping.shards, 0),
    errors: mayInspect ? errors : withoutTexts(errors),
  };
}

/** What stands for so long comes before what has just failed, whatever it is. */
function rankOf({ gravity, stands }: ToldPart): number {
  return gravity + (stands && gravity >= GRAVITY.wait ? 1 : 0);
}

/** Somebody has to look at it: it fails, or waits and has brought nothing to an end for half a minute. */
export function isBad({ gravity, stands }: ToldPart): boolean {
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

function toldPart(
  { part, holdsWork, sinceMs, reasons }: SeenPart,
  { explanation, parts }: MappingSnapshot,
  process: ToldProcess,
  nowMs: number,
): ToldPart {
  const { shardId, lane } = placeOf(part);
  const shard =
    explanation?.kind === "stream" ? explanation.shards.find((each) => each.shardId === shardId) : undefined;
  const given = reasons.filter(({ code }) => !isNoReason(code));
  const stoodUntilMs = process.standing === "lives" ? nowMs : nowMs - process.ageMs;
  return {
    part,
    process,
    holdsWork,
    sinceMs,
    stands: holdsWork && stoodUntilMs - sinceMs >= STANDS_MS,
    gravity: Math.max(GRAVITY.none, ...given.map(({ code }) => gravityOf(code))),
    reasons: given.toSorted((a, b) => gravityOf(b.code) - gravityOf(a.code)).map(toldReason),
    lane: shard?.lanes.find((each) => each.lane === lane),
    heldLanes: parts.flatMap((other) => {
      const place = placeOf(other.part);
      const isHeld = other.reasons.some(({ code }) => gravityOf(code) >= GRAVITY.wait);
      return place.shardId === shardId && place.lane !== undefined && isHeld ? [place.lane] : [];
    }),
    behindMs: shard?.oldestAgeMs,
  };
}

/** `shard-1 lane 0`: names of shards have no spaces. */
export function placeOf(part: string): { readonly shardId: string; readonly lane: number | undefined } {
  const match = /^(.*) lane (\d+)$/.exec(part);
  return match === null
    ? { shardId: part, lane: undefined }
    : { shardId: match[1] ?? part, lane: Number(match[2]) };
}

function toldProcess({ snapshot, isHere, standing, ageMs }: SeenProcess): ToldProcess {
  return { processId: snapshot.processId, isHere, standing, ageMs };
}

function heldShards({ explanation }: MappingSnapshot): readonly string[] {
  return explanation?.kind === "stream" ? explanation.shards.map(({ shardId }) => shardId) : [];
}

/** About a shard that a living process works on only that one's word counts. */
function isOwnWord({ part }: SeenPart, mapping: MappingSnapshot, held: ReadonlySet<string>): boolean {
  const { shardId } = placeOf(part);
  return !held.has(shardId) || heldShards(mapping).includes(shardId);
}

/** What a process that is gone said of a shard counts until another one has it. */
function isLastWord({ part }: SeenPart, held: ReadonlySet<string>): boolean {
  return !held.has(placeOf(part).shardId);
}

/** Several processes may say the same of a shard that nobody has. */
function distinct(parts: readonly ToldPart[]): readonly ToldPart[] {
  const seen = new Set<string>();
  return parts.filter((each) => {
    if (each.holdsWork || each.lane !== undefined) return true;
    const key = `${each.part} ${each.reasons.map(({ code }) => code).join()}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

/**
 * A broker has divided its shards among members of whom this store's processes are not all: others read the same with
 * another store, or are no millrace.
 */
function differingStores(living: readonly Word[], nowMs: number): readonly ToldPart[] {
  let held = 0;
  let listed = 0;
  for (const { seen, mapping } of living) {
    const { explanation } = mapping;
    if (explanation?.kind !== "stream" || explanation.division?.kind !== "divided") return [];
    const isSettled = nowMs - explanation.division.sinceMs >= STANDS_MS;
    if (!isSettled || seen.ageMs > FRESH_MS || mapping.state !== "Enabled") return [];
    held += mapping.shards;
    listed = Math.max(listed, explanation.listed ?? 0);
  }
  const [first] = living;
  if (first === undefined || held >= listed) return [];
  const who = `somebody else, who has ${listed - held} of ${listed} shards,`;
  return [
    {
      part: "all shards",
      process: first.process,
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

/** The same id is the same error in every process. */
function mergedErrors(all: readonly FunctionErrors[]): FunctionErrors {
  const merged = new Map<string, FunctionErrorEntry>();
  for (const entry of all.flatMap(({ errors }) => errors)) {
    const known = merged.get(entry.id);
    if (known === undefined) {
      merged.set(entry.id, entry);
      continue;
    }
    const last = known.lastSeenMs >= entry.lastSeenMs ? known : entry;
    const firstSeenMs = Math.min(known.firstSeenMs, entry.firstSeenMs);
    merged.set(entry.id, { ...last, firstSeenMs, count: known.count + entry.count });
  }
  const errors = [...merged.values()].toSorted((a, b) => b.lastSeenMs - a.lastSeenMs);
  const leftOut = all.reduce((sum, each) => sum + each.leftOut, 0);
  const cut = errors.slice(ERRORS_MAX).reduce((sum, { count }) => sum + count, 0);
  return { errors: errors.slice(0, ERRORS_MAX), leftOut: leftOut + cut };
}

function iso(epochMs: number | undefined): string | undefined {
  return epochMs === undefined ? undefined : new Date(epochMs).toISOString();
}
