import { FUNCTION_LANE } from "../../../src/model/async-item.ts";
import { FULL_ITEMS } from "./event-functions.ts";
import { type Hold, type Item, lostHolds } from "./event-ledger.ts";
import type { EventWorld } from "./event-world.ts";

/** A process that stood still has read its rows so long ago, at most. */
const STALE_MS = 205_000;
const LOOK_MS = 2_000;
const PAUSE_SLACK_MS = 5;
/** One look and one receive, where nothing fails. */
const SOON_MS = 1_000;
const HELD_BYTES_MAX = 64 * 1024 * 1024;
const RETRIES_DEFAULT = 2;
const AGE_DEFAULT_S = 21_600;
/** The longest pause behind a throttle, with its chance. */
const THROTTLE_PAUSE_MS = 360_000;
const EXACT_ROUTES = { success: ["success"], failure: ["failure", "deadLetter"] } as const;

/** Judges what queue, functions and destinations saw. */
export function checkEvents(world: EventWorld): void {
  for (const item of world.ledger.items.values()) {
    checkEnd(item, world);
    if (item.kind === "deliver") checkDelivery(item, world);
    else checkEvent(item, world);
  }
  checkTold(world);
  if (world.flavour === "calm") checkFull(world);
  if (world.flavour === "isolation" || world.flavour === "large") checkIsolation(world);
}

function checkEnd(item: Item, { ledger, counts, isQuiet }: EventWorld): void {
  counts.lostHolds += lostHolds(item);
  if (isQuiet && lostHolds(item) > 0)
    ledger.breach("I32", `the hold of ${item.id} ended under whoever had it, and nothing had failed`);
  if (item.endedMs === undefined) ledger.breach("I31", `${item.id} was kept, and has come to no end`);
}

function checkDelivery(item: Item, { ledger, counts }: EventWorld): void {
  counts.delivered += item.taken;
  if (item.endedMs !== undefined && item.taken === 0) counts.dropped++;
  const isExact = lostHolds(item) === 0 && !item.isTakenUnheard;
  if (isExact && item.taken > 1) ledger.breach("I32", `${item.id} was delivered ${item.taken} times`);
}

function checkEvent(item: Item, world: EventWorld): void {
  const { ledger, counts } = world;
  const success = item.holds.some(isSuccess);
  if (success) counts.succeeded++;
  const conditions = [...item.conditions.values()];
  if (conditions.length > 0) counts.givenUp++;
  if (conditions.includes("EventAgeExceeded")) counts.aged++;
  if (conditions.includes("RecursiveInvocation")) counts.loopsCut++;
  const last = item.holds.find(({ settled }) => settled === "finish");
  if (last === undefined) return;
  const isSuccessfulEnd = isSuccess(last);
  if (isSuccessfulEnd && item.holds.some((hold) => hold !== last && isSuccess(hold)) && lostHolds(item) === 0)
    ledger.breach("I32", `${item.id} succeeded more than once`);
  checkRoutes(item, last, isSuccessfulEnd, world);
  checkAttempts(item, last, world);
  checkTimes(item, last, world);
  checkZero(item, world);
}

/** Each route of its end was taken into the queue with the end; what became of it is judged there. */
function checkRoutes(item: Item, last: Hold, isSuccessfulEnd: boolean, world: EventWorld): void {
  const { ledger } = world;
  const told = new Set(
    ["success", "failure", "deadLetter"].filter((what) => ledger.items.has(`${item.id}/${what}`)),
  );
  if (told.has("success") && (told.has("failure") || told.has("deadLetter")))
    ledger.breach("I32", `${item.id} is told as success and as failure`);
  const settings = settingsOf(item, last.settledMs ?? 0, world);
  if (settings === undefined) return;
  const { onSuccess, onFailure, deadLetter } = settings;
  const wanted = isSuccessfulEnd ? { success: onSuccess } : { failure: onFailure, deadLetter };
  for (const [what, uri] of Object.entries(wanted)) {
    if (uri === undefined) continue;
    const isThere = uri.startsWith("fn:") ? isHandedOn(item, world) : told.has(what);
    if (!isThere) ledger.breach("I31", `${item.id} has ended, and ${uri} (${what}) is never told`);
  }
  const others = isSuccessfulEnd ? EXACT_ROUTES.failure : EXACT_ROUTES.success;
  for (const what of others)
    if (told.has(what)) ledger.breach("I32", `${item.id} is told as ${what}, which it is not`);
}

function isHandedOn({ id }: Item, { ledger }: EventWorld): boolean {
  return [...ledger.items.values()].some(
    ({ lane, body }) => lane === `${FUNCTION_LANE}sink` && body.includes(`"requestId":"${id}"`),
  );
}

function checkAttempts(item: Item, last: Hold, world: EventWorld): void {
  const settings = settingsOf(item, last.settledMs ?? 0, world, item.putMs);
  if (settings === undefined) return;
  const { ledger } = world;
  const lost = lostHolds(item);
  const errors = item.holds.flatMap(({ runs }) => runs).filter(isError).length;
  if (errors > settings.retries + 1 + lost)
    ledger.breach(
      "I33",
      `${item.id} failed ${errors} times with ${settings.retries} retries, ${lost} lost holds`,
    );
  const isGiven = conditionOf(item, last) === "RetriesExhausted" && !isGone(item, world);
  if (isGiven && errors < settings.retries + 1)
    ledger.breach("I33", `${item.id} was given up after ${errors} errors with ${settings.retries} retries`);
}

function checkTimes(item: Item, last: Hold, world: EventWorld): void {
  const { ledger } = world;
  let errors = 0;
  let notBefore = 0;
  for (const hold of item.holds) {
    for (const run of hold.runs) {
      const settings = settingsOf(item, run.startMs, world);
      const acceptedMs = item.acceptedMs ?? Number.POSITIVE_INFINITY;
      if (settings !== undefined && run.startMs > acceptedMs + settings.ageMs + PAUSE_SLACK_MS)
        ledger.breach("I34", `${item.id} started ${run.startMs - acceptedMs} ms after it was accepted`);
      if (run.startMs < notBefore - PAUSE_SLACK_MS)
        ledger.breach(
          "I34",
          `${item.id} started ${notBefore - run.startMs} ms too early after ${errors} errors`,
        );
    }
    const failed = hold.runs.find(isError);
    if (hold.settled !== "retry" || failed === undefined) continue;
    errors++;
    notBefore = (failed.endMs ?? 0) + 60_000 * errors;
  }
  const settings = settingsOf(item, last.settledMs ?? 0, world, last.startMs);
  if (
    conditionOf(item, last) !== "EventAgeExceeded" ||
    settings === undefined ||
    item.acceptedMs === undefined
  )
    return;
  const failed = last.runs.find(isError);
  const dueMs = failed === undefined ? THROTTLE_PAUSE_MS : 60_000 * (errors + 1);
  const endMs = item.acceptedMs + settings.ageMs;
  if ((last.settledMs ?? 0) + dueMs + PAUSE_SLACK_MS < endMs)
    ledger.breach("I34", `${item.id} was given up for its age, and could have been tried once more`);
}

/** Nothing of a function starts that reserves nothing, and its events are given up at once. */
function checkZero(item: Item, { ledger }: EventWorld): void {
  for (const hold of item.holds) {
    for (const { wasZero, startMs, knownSinceMs } of hold.runs)
      if (wasZero && startMs > knownSinceMs + LOOK_MS)
        ledger.breach(
          "I35",
          `${item.id} ran ${startMs - knownSinceMs} ms after its function reserved nothing`,
        );
    if (hold.wasZero && hold.runs.length === 0 && hold.settled === "retry")
      ledger.breach("I35", `${item.id} waits for a function that reserves nothing`);
  }
}

/** What was dropped or given up was counted by who did it, unless it died. */
function checkTold({ ledger, processes }: EventWorld): void {
  const [drops, gaveUp] = [new Map<unknown, number>(), new Map<unknown, number>()];
  for (const item of ledger.items.values()) {
    const last = item.holds.find(({ settled }) => settled === "finish");
    if (last === undefined) continue;
    if (item.kind === "deliver" && item.taken === 0) add(drops, last.process);
    if (item.kind === "invoke" && !isSuccess(last)) add(gaveUp, last.process);
  }
  for (const process of processes) {
    if (process.clock.isDead) continue;
    const { counts, name } = process;
    if ((counts.get("async_deliveries_dropped") ?? 0) < (drops.get(process) ?? 0))
      ledger.breach("I31", `${name} dropped ${drops.get(process)} deliveries, and counted fewer`);
    if ((counts.get("async_events_dropped") ?? 0) < (gaveUp.get(process) ?? 0))
      ledger.breach("I31", `${name} gave ${gaveUp.get(process)} events up, and counted fewer`);
  }
}

/** One process counts what it puts by itself, so that its figures hold. */
function checkFull({ ledger }: EventWorld): void {
  const moves = [...ledger.items.values()]
    .filter(({ acceptedMs, id }) => acceptedMs !== undefined && !id.includes("#"))
    .flatMap(({ lane, putMs, endedMs = Number.POSITIVE_INFINITY }) => [
      { lane, atMs: putMs, by: 1 },
      { lane, atMs: endedMs, by: -1 },
    ])
    .sort((a, b) => a.atMs - b.atMs || a.by - b.by);
  const standing = new Map<unknown, number>();
  for (const { lane, by } of moves)
    if (add(standing, lane, by) > 2 * FULL_ITEMS)
      ledger.breach("I36", `${lane} has more than ${2 * FULL_ITEMS} events, and may have ${FULL_ITEMS}`);
}

function checkIsolation({ ledger, healedMs }: EventWorld): void {
  for (const { id, lane, putMs, holds } of ledger.items.values()) {
    if (lane !== `${FUNCTION_LANE}victim` || putMs > healedMs - SOON_MS) continue;
    const startMs = holds[0]?.runs[0]?.startMs ?? Number.POSITIVE_INFINITY;
    if (startMs - putMs > SOON_MS)
      ledger.breach("I36", `${id} waited ${startMs - putMs} ms beside one that stalls`);
  }
  const moves = [...ledger.items.values()]
    .flatMap(({ bytes, holds }) =>
      holds.flatMap(({ startMs, settledMs = Number.POSITIVE_INFINITY }) => [
        { atMs: startMs, by: bytes },
        { atMs: settledMs, by: -bytes },
      ]),
    )
    .sort((a, b) => a.atMs - b.atMs || a.by - b.by);
  let inHand = 0;
  for (const { by } of moves) {
    inHand += by;
    // One event of each lane that holds none is taken in any case.
    if (inHand > HELD_BYTES_MAX + 4 * 1024 * 1024) ledger.breach("I36", `${inHand} bytes are in hand`);
  }
}

/** What its row said at that time, or all the time since `fromMs`; `undefined`: it may have been another. */
function settingsOf(item: Item, atMs: number, world: EventWorld, fromMs = atMs) {
  const name = item.lane.slice(FUNCTION_LANE.length);
  const fn = world.functions.get(name)?.resource;
  const changed = world.changedMs.get(name) ?? Number.NEGATIVE_INFINITY;
  // The row of now stands since its last change; before that it was another.
  if (fn === undefined || changed > Math.min(atMs, fromMs) - STALE_MS) return undefined;
  const config = fn.invokeConfigs?.get("$LATEST");
  return {
    retries: config?.maximumRetryAttempts ?? RETRIES_DEFAULT,
    ageMs: (config?.maximumEventAgeSeconds ?? AGE_DEFAULT_S) * 1000,
    ...{ onSuccess: config?.onSuccess, onFailure: config?.onFailure },
    deadLetter: fn.deadLetters?.get("$LATEST"),
  };
}

function isGone({ lane }: Item, { functions, changedMs }: EventWorld): boolean {
  const name = lane.slice(FUNCTION_LANE.length);
  return !functions.has(name) || changedMs.has(name);
}

/** Why it was given up, as told by who did. */
function conditionOf({ conditions }: Item, last: Hold): string | undefined {
  return isSuccess(last) ? undefined : conditions.get(last.process);
}

function isSuccess({ runs }: Hold): boolean {
  return runs.some(({ outcome }) => outcome === "succeeded");
}

function isError({ outcome }: { readonly outcome?: string }): boolean {
  return outcome === "functionError" || outcome === "timedOut";
}

function add(counts: Map<unknown, number>, key: unknown, by = 1): number {
  const sum = (counts.get(key) ?? 0) + by;
  counts.set(key, sum);
  return sum;
}
