import type { JsonObject } from "./api-client.ts";
import { printable } from "./terminal-text.ts";

/** A line for each mapping. */
export function mappingTable(mappings: readonly JsonObject[]): string {
  if (mappings.length === 0) return "There is no event source mapping.\n";
  const hasNames = mappings.some(({ Name: name }) => name !== undefined);
  const rows = mappings.map((mapping) => [
    textOf(mapping["UUID"]),
    ...(hasNames ? [textOf(mapping["Name"])] : []),
    textOf(mapping["State"]),
    functionOf(mapping),
    sourceOf(mapping),
    lastResultOf(mapping),
  ]);
  const names = hasNames ? ["NAME"] : [];
  return textTable([["UUID", ...names, "STATE", "FUNCTION", "SOURCE", "LAST RESULT"], ...rows]);
}

/** AWS shows none of queues: what is in the way of such a mapping stands in its reason. */
function lastResultOf(mapping: JsonObject): string {
  const { LastProcessingResult: result, StateTransitionReason: reason } = mapping;
  if (result !== undefined) return textOf(result);
  const isUsual = reason === undefined || reason === "User action" || reason === "USER_INITIATED";
  return isUsual ? "" : `PROBLEM: ${textOf(reason)}`;
}

/** Members that say which mapping it is and how it is come first. */
const FIRST: readonly string[] = [
  "UUID",
  "Name",
  "State",
  "LastProcessingResult",
  "FunctionArn",
  "EventSourceArn",
];

/** A line for each member. */
export function mappingDetails(mapping: JsonObject): string {
  const rest = Object.keys(mapping).filter((name) => !FIRST.includes(name));
  const names = [...FIRST.filter((name) => name in mapping), ...rest.toSorted()];
  return textTable(names.map((name) => [name, detailOf(name, mapping[name])]));
}

/** The API says it in lines. */
export function explanationText({ text }: JsonObject): string {
  const lines: readonly unknown[] = Array.isArray(text) ? text : [];
  return lines.map((line) => `${textOf(line)}\n`).join("");
}

/** Columns as wide as they need to be, two spaces apart; the last one as it is. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((text, column) => (column === row.length - 1 ? text : text.padEnd(widths[column] ?? 0)))
      .join("  "),
  );
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

function functionOf(mapping: JsonObject): string {
  const arn = textOf(mapping["FunctionArn"]);
  return arn.split(":function:")[1] ?? arn;
}

/** Topics of brokers that one runs oneself have no ARN. */
function sourceOf(mapping: JsonObject): string {
  const names = [mapping["Topics"], mapping["Queues"]].filter((value) => value !== undefined);
  return [mapping["EventSourceArn"] ?? mapping["SelfManagedEventSource"], ...names]
    .filter((value) => value !== undefined)
    .map(textOf)
    .join(" ");
}

function detailOf(name: string, value: unknown): string {
  const isTime = typeof value === "number" && /^(?:LastModified|StartingPositionTimestamp)$/.test(name);
  return isTime ? new Date(value * 1000).toISOString() : textOf(value);
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return printable(typeof value === "object" ? JSON.stringify(value) : String(value));
}
