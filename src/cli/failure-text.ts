import type { JsonObject } from "./api-client.ts";
import { isObject } from "./api-client.ts";
import { textTable } from "./mapping-text.ts";
import { formatBytes, printable } from "./terminal-text.ts";

const ERROR_CHARS = 60;
const HEAD = ["ID", "MAPPING", "AT", "RECORDS", "BYTES", "SHARD", "STATE", "WHY"];

/** A line for each failure. */
export function failureTable(failures: readonly JsonObject[]): string {
  if (failures.length === 0) return "There is no failure.\n";
  const rows = failures.map((failure) => [
    textOf(failure["id"]),
    textOf(failure["mapping"]),
    textOf(failure["at"]).slice(0, 19),
    textOf(failure["count"]),
    formatBytes(Number(failure["bytes"])),
    textOf(failure["shardId"]),
    textOf(failure["state"]),
    whyOf(failure),
  ]);
  return textTable([HEAD, ...rows]);
}

function whyOf({ condition, errorId, errorType, errorMessage }: JsonObject): string {
  if (errorType === undefined) return textOf(condition);
  const message = errorMessage === undefined ? "" : `: ${textOf(errorMessage)}`;
  const error = `${textOf(errorType)}${message}`;
  const shown = error.length > ERROR_CHARS ? `${error.slice(0, ERROR_CHARS - 1)}…` : error;
  return `${shown}${errorId === undefined ? "" : `  ${textOf(errorId)}`}`;
}

/** One failure: what is known of it, its error, and its records. */
export function failureDetails(failure: JsonObject): string {
  const { items: _, document: __, records, stack, remark, where, ...known } = failure;
  const place = isObject(where) ? [where["destination"], where["at"]].filter(Boolean).join(" ") : "";
  const members = Object.entries({ ...known, where: place }).map(([name, value]) => [name, textOf(value)]);
  const shown: readonly unknown[] = Array.isArray(records) ? records : [];
  return [
    textTable(members),
    ...(stack === undefined ? [] : ["\n", linesOf(String(stack))]),
    ...(remark === undefined ? [] : [`\n${textOf(remark)}\n`]),
    ...shown.filter(isObject).map(recordText),
  ].join("");
}

function recordText({ position, key, record }: JsonObject): string {
  const head = `\nrecord ${textOf(position)}${key === undefined ? "" : `  key ${textOf(key)}`}\n`;
  if (record === undefined) return `${head}  it is not there any more\n`;
  return head + linesOf(JSON.stringify(record, null, 2), "  ");
}

function linesOf(text: string, indent = ""): string {
  const lines = text.split("\n");
  return lines.map((line) => `${indent}${printable(line.trimEnd())}\n`).join("");
}

function textOf(value: unknown): string {
  return printable(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
}
