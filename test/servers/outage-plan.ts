import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * `MILLRACE_TEST_OUTAGES=full`: 0.1, 1, 3 and 30 seconds, eight processes, twenty times (or
 * `MILLRACE_TEST_OUTAGE_TIMES`), and the return is held against `BACK_MS_MAX`. Otherwise what suits every build: short
 * ones, two processes, once.
 */
const isFull = process.env["MILLRACE_TEST_OUTAGES"] === "full";
/** Stops a test that hangs. */
const WAIT_MS_MAX = 120_000;

export const OUTAGE_PLAN = {
  outagesMs: isFull ? [100, 1_000, 3_000, 30_000] : [100, 1_000, 3_000],
  processes: isFull ? 8 : 2,
  times: isFull ? Number(process.env["MILLRACE_TEST_OUTAGE_TIMES"] ?? 20) : 1,
  backMsMax: isFull ? 10_000 : Number.POSITIVE_INFINITY,
};
export const OUTAGE_HANG = { timeout: OUTAGE_PLAN.times * 2 * WAIT_MS_MAX };

/** From so long an outage on the state has to say what is wrong: calls that hang are told when their time is up. */
export const TOLD_MS = 30_000;

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + WAIT_MS_MAX;
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, `within ${WAIT_MS_MAX} ms there was not: ${what}`);
    await sleep(10);
  }
}

/** Adds until the function that it returns is called. */
export function feeding(add: () => void | Promise<void>): () => Promise<void> {
  let isOn = true;
  const fed = (async () => {
    while (isOn) {
      await add();
      await sleep(20);
    }
  })();
  return async () => {
    isOn = false;
    await fed;
  };
}
