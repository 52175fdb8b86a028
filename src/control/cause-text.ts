import type { FunctionErrors } from "../model/function-error.ts";
import { isBad, placeOf, type ToldPart, type ToldProcess, type ToldReason } from "./told-parts.ts";

/** What the causes of a mapping are told by. Times are epoch milliseconds. */
export interface Causes {
  readonly nowMs: number;
  readonly name: string;
  readonly kind: "stream" | "queue";
  readonly state: string;
  /** Worst first. */
  readonly parts: readonly ToldPart[];
  /** Those of the mapping as a whole. */
  readonly reasons: readonly ToldReason[];
  /** That are worked on. */
  readonly shards: number;
  readonly lanes: number;
  readonly errors: FunctionErrors;
  readonly mayInspect: boolean;
}

const PARTS_MAX = 10;
const REASONS_MAX = 4;
/** Shown of an id that is longer: its end tells shards apart. */
const NAME_CHARS_MAX = 26;

/** What is in the way of a mapping, and what to do: a block for each shard that is held up, worst first. */
export function causeLines(causes: Causes): readonly string[] {
  const { parts, reasons } = causes;
  const told = parts.filter((each) => each.reasons.length > 0);
  const shown = told.some(isBad) ? told.filter(isBad) : told;
  const left = shown.length - PARTS_MAX;
  return [
    headLine(causes),
    ...reasons.flatMap((each) => reasonLines(each, causes, undefined, [])),
    ...shown.slice(0, PARTS_MAX).flatMap((part) => partLines(part, causes)),
    ...(left > 0 ? [`  and ${left} more parts: name a shard to see it`] : []),
  ];
}

/** `orders: 1 of 4 shards stands still`. */
function headLine({ name, kind, state, parts, shards }: Causes): string {
  const bad = parts.filter(isBad);
  const isStanding = bad.some(({ stands }) => stands);
  if (bad.length === 0) {
    if (state !== "Enabled") return `${name}: ${state}`;
    return kind === "queue"
      ? `${name}: fine`
      : `${name}: fine, ${shards} ${shards === 1 ? "shard" : "shards"}`;
  }
  const ids = new Set(bad.map(({ part }) => placeOf(part).shardId));
  const verb = isStanding ? ["stands still", "stand still"] : ["is held up", "are held up"];
  const isOfShards = kind === "stream" && shards > 0 && bad.some(({ behindMs }) => behindMs !== undefined);
  if (!isOfShards) return `${name}: ${verb[0]}`;
  const total = Math.max(shards, ids.size);
  return `${name}: ${ids.size} of ${total} shards ${ids.size === 1 ? verb[0] : verb[1]}`;
}

function partLines(part: ToldPart, causes: Causes): readonly string[] {
  const { shardId, lane } = placeOf(part.part);
  const since = part.holdsWork ? `nothing settled since ${clockTime(part.sinceMs)}` : undefined;
  const behind =
    part.behindMs === undefined || part.behindMs === 0 ? undefined : `${duration(part.behindMs)} behind`;
  const how = [behind, since, processText(part.process)].filter((text) => text !== undefined).join(", ");
  const label = shortName(shardId) + (lane === undefined ? "" : ` lane ${lane}`);
  return [
    `  ${label}${how === "" ? "" : `  ${how}`}`,
    ...part.reasons.slice(0, REASONS_MAX).flatMap((each, index) => {
      const waiting = index === 0 ? waitingLines(part, causes) : [];
      return reasonLines(each, causes, part, waiting);
    }),
  ];
}

function reasonLines(
  told: ToldReason,
  causes: Causes,
  part: ToldPart | undefined,
  waiting: readonly string[],
): readonly string[] {
  const { nowMs } = causes;
  const { error, said } = errorOf(told, causes);
  const key = keyText(part, causes.mayInspect);
  const { attempts, errorId } = told.facts;
  const until = told.until === undefined ? undefined : Date.parse(told.until);
  const facts = [
    ...(errorId === undefined ? [] : [String(errorId)]),
    ...(attempts === undefined ? [] : [`${attempts} attempts`]),
    ...(until === undefined || until <= nowMs ? [] : [`next in ${duration(until - nowMs)}`]),
  ];
  const isFailure = attempts !== undefined && part !== undefined;
  const what = said === undefined ? told.says : `${key ?? "the function"} fails: ${said}`;
  const tail = facts.length === 0 || !isFailure ? untilText(until, nowMs) : `   (${facts.join(", ")})`;
  const where = error === undefined ? "" : `      ${error}`;
  const because = `    because  ${what}${tail}${where}`;
  return [because, ...waiting, `    do       ${told.remedy} · ${told.runbook}`];
}

function untilText(until: number | undefined, nowMs: number): string {
  return until === undefined || until <= nowMs ? "" : ` (for ${duration(until - nowMs)} more)`;
}

/** The error book's words for it, and where it was thrown. */
function errorOf({ facts }: ToldReason, { errors }: Causes) {
  const entry = errors.errors.find(({ id }) => id === facts["errorId"]);
  if (entry === undefined) return { said: undefined, error: undefined };
  const { errorType, message, stack } = entry;
  const [said] = (message === undefined ? errorType : `${errorType}: ${message}`).split("\n", 1);
  return { said, error: frameOf(stack) };
}

/** `at price (FILE:14)`: the first frame that is not a package's. */
function frameOf(stack: string | undefined): string | undefined {
  const frames = stack?.split("\n").filter((line) => /^\s*at |^\s*File "/.test(line)) ?? [];
  const own = frames.find((line) => !line.includes("node_modules") && !line.includes("node:")) ?? frames[0];
  if (own === undefined) return undefined;
  const text = own
    .trim()
    .replace(/\(?(?:file:\/\/)?\S*\/([^/\s]+?)(?::\d+)?\)?$/, (_all, file: string) => `(${file})`);
  return text;
}

/** Keys are content: who may not see them gets none. */
function keyText(part: ToldPart | undefined, mayInspect: boolean): string | undefined {
  const key = part?.lane?.batch?.key;
  if (key === undefined) return undefined;
  return mayInspect ? `key ${JSON.stringify(key)}` : "one key";
}

function waitingLines({ lane, heldLanes }: ToldPart, { lanes }: Causes): readonly string[] {
  if (lane === undefined) return [];
  const waiting = lane.waitingRecords + (lane.batch?.laterRecords ?? 0);
  const going = Array.from({ length: lanes }, (_, each) => each).filter((each) => !heldLanes.includes(each));
  const others = going.length === 0 || lanes === 1 ? "" : `; lanes ${ranges(going)} go on`;
  const records = `${waiting} ${waiting === 1 ? "record" : "records"}`;
  const behind =
    lane.batch === undefined
      ? `${records} of lane ${lane.lane}`
      : `${records} behind it in lane ${lane.lane}`;
  return [`    waiting  ${behind}${others}`];
}

/** `0, 2–9`. */
export function ranges(numbers: readonly number[]): string {
  const texts: string[] = [];
  for (let first = 0; first < numbers.length; ) {
    let last = first;
    while (numbers[last + 1] === (numbers[last] ?? 0) + 1) last++;
    texts.push(last === first ? `${numbers[first]}` : `${numbers[first]}–${numbers[last]}`);
    first = last + 1;
  }
  return texts.join(", ");
}

function processText({ processId, isHere, standing, ageMs }: ToldProcess): string | undefined {
  if (standing === "ended") return `in ${processId}, which ended; as of ${duration(ageMs)} ago`;
  if (standing === "gone")
    return `in ${processId}, which is gone: killed or cut off; as of ${duration(ageMs)} ago`;
  if (isHere) return undefined;
  return ageMs > 5_000 ? `in ${processId}, as of ${duration(ageMs)} ago` : `in ${processId}`;
}

function shortName(name: string): string {
  return name.length <= NAME_CHARS_MAX ? name : `${name.slice(0, 8)}…${name.slice(-12)}`;
}

function clockTime(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(11, 19);
}

export function duration(ms: number): string {
  const atLeast = Math.max(0, ms);
  if (atLeast < 1000) return `${Math.round(atLeast)} ms`;
  if (atLeast < 120_000) return `${Math.round(atLeast / 1000)} s`;
  return atLeast < 7_200_000 ? `${Math.round(atLeast / 60_000)} min` : `${Math.round(atLeast / 3_600_000)} h`;
}
