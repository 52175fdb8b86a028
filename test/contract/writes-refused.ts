import assert from "node:assert/strict";
import { hasErrorCode } from "../../src/model/errors.ts";

/** An answer counts when it is durable: while nothing can be written, this must be refused as a store that is away. */
export async function assertRefused(name: string, write: () => Promise<unknown>): Promise<void> {
  let answer: unknown;
  try {
    answer = await write();
  } catch (error) {
    assert.ok(hasErrorCode(error, "ERR_MILLRACE_STORE_UNAVAILABLE"), `${name}: ${error}`);
    return;
  }
  assert.fail(`${name} is answered with ${JSON.stringify(answer)} while nothing can be written`);
}

/** A connection may have to be made anew. */
const RETRIES_MAX = 10;

/** What a store answers once it can be asked again. */
export async function retried<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === RETRIES_MAX) throw error;
    }
  }
}
