import { ApiError, answer, call } from "./api.js";

/**
 * @typedef {{ part: string, process: string, code: string, sinceMs: number, says: string, toDo: string, errorId?: string }} Cause
 * @typedef {{ uuid: string, name: string, source: string, functionName: string, state: string,
 *   lastProcessingResult: string, problem?: string, isFromManifest: boolean,
 *   counts: { read: number, invoked: number, failed: number, givenUp: number }, oldestAgeMs: number,
 *   caughtUp: boolean, shards: number, processes: number, heldUp: number, worst?: Cause }} Mapping
 * @typedef {{ processId: string, isHere: boolean, standing: string, saidMs: number, startedMs: number,
 *   mappings: number, shards: number }} Process
 * @typedef {{ name: string, state: string, elapsedMs: number, totalMs: number, sentPerSecond: number,
 *   deliveredPerSecond: number, lag: number, inFlight: number, failures: number, violations: number,
 *   p99Ms: number }} LoadTest
 */

const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 15_000;

/** What the server says, as it says it. `connection`: `connecting`, `live`, `reconnecting` or `signedOut`. */
export const live = {
  connection: "connecting",
  /** @type {string | undefined} */
  trouble: undefined,
  /** @type {import("./api.js").Me} */
  me: { name: "", roles: [] },
  nowMs: 0,
  /** @type {string | undefined} */
  problem: undefined,
  /** @type {Process[]} */
  processes: [],
  processesLeftOut: 0,
  /** @type {LoadTest[]} */
  loadTests: [],
  /** @type {Map<string, Mapping>} */
  mappings: new Map(),
  /** By mapping: what was counted some seconds ago, for rates. @type {Map<string, { at: number, counts: Mapping["counts"] }[]>} */
  earlier: new Map(),
};

/** @param {string} role */
export function may(role) {
  return live.me.roles.includes(role);
}

/** Reads until the page is left; comes again when the connection ends. @param {() => void} onChange */
export async function follow(onChange) {
  let waitMs = AGAIN_MS;
  for (;;) {
    try {
      live.me = await call("GET", "millrace/v1/me");
      const response = await answer("GET", "millrace/v1/live");
      waitMs = AGAIN_MS;
      live.trouble = undefined;
      await readFrames(response, onChange);
      live.connection = "reconnecting";
    } catch (error) {
      const isUnknown = error instanceof ApiError && (error.status === 401 || error.status === 403);
      live.connection = isUnknown ? "signedOut" : "reconnecting";
      live.trouble = error instanceof ApiError ? error.message : undefined;
      if (isUnknown) return onChange();
    }
    onChange();
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    waitMs = Math.min(AGAIN_MS_MAX, waitMs * 2);
  }
}

/** @param {Response} response @param {() => void} onChange */
async function readFrames(response, onChange) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) if (event.startsWith("data: ")) take(JSON.parse(event.slice(6)));
    if (events.length > 0) onChange();
  }
}

/** @param {any} frame */
function take(frame) {
  if (frame.isFull === true) {
    live.mappings.clear();
    live.earlier.clear();
  }
  live.connection = "live";
  if (frame.nowMs !== undefined) live.nowMs = frame.nowMs;
  if (frame.processes !== undefined) {
    live.processes = frame.processes;
    live.processesLeftOut = frame.processesLeftOut ?? 0;
    live.loadTests = frame.loadTests ?? [];
    live.problem = frame.problem ?? undefined;
  }
  for (const uuid of frame.gone ?? []) {
    live.mappings.delete(uuid);
    live.earlier.delete(uuid);
  }
  for (const change of frame.mappings ?? []) {
    const mapping = { ...live.mappings.get(change.uuid), ...change };
    // A member that it has no more comes as null.
    for (const name of Object.keys(change)) if (change[name] === null) delete mapping[name];
    live.mappings.set(change.uuid, mapping);
    if (change.counts !== undefined) note(mapping);
  }
}

const RATE_MS = 10_000;

/** @param {Mapping} mapping */
function note({ uuid, counts }) {
  const points = live.earlier.get(uuid) ?? [];
  points.push({ at: live.nowMs, counts });
  while (points.length > 2 && (points[1]?.at ?? 0) < live.nowMs - RATE_MS) points.shift();
  live.earlier.set(uuid, points);
}

/** A second's worth of each over the last ten; `undefined` before two are known. @param {string} uuid */
export function ratesOf(uuid) {
  const points = live.earlier.get(uuid) ?? [];
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return undefined;
  // What has not changed is not sent again: the time goes on all the same.
  const seconds = Math.max(live.nowMs - first.at, 1) / 1_000;
  if (seconds < 0.5) return undefined;
  /** @param {(counts: Mapping["counts"]) => number} count */
  const rate = (count) => Math.max(0, count(last.counts) - count(first.counts)) / seconds;
  return {
    read: rate(({ read }) => read),
    done: rate(({ invoked, failed }) => invoked - failed),
    failed: rate(({ failed }) => failed),
  };
}
