import assert from "node:assert/strict";
import { type ErrorCode, hasErrorCode, type MillraceError } from "../../src/model/errors.ts";

/** Asserts that a call fails with one code of the catalogue, and hands back the error for a look at its message. */
export async function rejectsWith(code: ErrorCode, call: () => Promise<unknown>): Promise<MillraceError> {
  let result: unknown;
  try {
    result = await call();
  } catch (error) {
    if (hasErrorCode(error, code)) return error;
    throw new assert.AssertionError({ message: `expected ${code}`, actual: error });
  }
  throw new assert.AssertionError({ message: `expected ${code}, but the call succeeded`, actual: result });
}
