import { readFileSync, statSync } from "node:fs";
import { describeError, MillraceError } from "../model/errors.ts";
import { type LoadResult, RESULT_FORMAT } from "./load-result.ts";

const BYTES_MAX = 64 * 1024 * 1024;

/** A `result.json` that a load test left. @throws MillraceError ERR_MILLRACE_CONFIG */
export function readResult(file: string): LoadResult {
  const value = parse(file);
  const format = typeof value === "object" && value !== null && "format" in value ? value.format : undefined;
  // What has the format's name was written by a load test: nothing else in it is checked.
  if (format === RESULT_FORMAT) return value as LoadResult;
  throw invalid(file, `it is not a result of the form ${RESULT_FORMAT}. Give a result.json of millrace load`);
}

function parse(file: string): unknown {
  try {
    if (statSync(file).size <= BYTES_MAX) return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw invalid(file, `${describeError(error)}. Give a result.json of millrace load`);
  }
  throw invalid(file, `it has more than ${BYTES_MAX} bytes. Give a result.json of millrace load`);
}

function invalid(file: string, reason: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_CONFIG", `The result ${file} cannot be read: ${reason}.`);
}
