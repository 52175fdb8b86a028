import type { SourceDocument } from "../../control/embedded/source-document.ts";
import { textTable } from "../mapping-text.ts";
import { printable } from "../terminal-text.ts";
import type { SourceDesk, SourceKind } from "./source-desk.ts";

const CONTENT_CHARS_MAX = 200;
const HEADS: Readonly<Record<string, string>> = { openShards: "SHARDS", eventSourceArn: "EVENT SOURCE ARN" };

export function sourceTable(kind: SourceKind, sources: readonly SourceDocument[]): string {
  if (sources.length === 0) return `There are no ${kind}s. Make one with millrace ${kind}s create NAME.\n`;
  const names =
    kind === "stream"
      ? ["name", "openShards", "eventSourceArn"]
      : ["name", "visible", "held", "delayed", "eventSourceArn"];
  const heads = names.map((name) => HEADS[name] ?? name.toUpperCase());
  return textTable([heads, ...sources.map((source) => names.map((name) => shown(source[name])))]);
}

/** What was made, and what a mapping says to read it. */
export function createdText(
  kind: SourceKind,
  source: SourceDocument,
  { place, endpoints }: Pick<SourceDesk, "place" | "endpoints">,
): string {
  const arn = shown(source["eventSourceArn"]);
  const name = shown(source["name"]);
  const where = endpoints === undefined ? "" : `  endpoints: ${endpoints}\n`;
  return `Made the ${kind} ${name} (${place}). A mapping reads it with\n  eventSourceArn: ${arn}\n${where}`;
}

/** What a stream or queue holds, a line each. */
export function itemTable(kind: SourceKind, items: readonly SourceDocument[]): string {
  if (items.length === 0) return `The ${kind} holds nothing.\n`;
  const rows = items.map((item) =>
    kind === "stream"
      ? [item["arrivedAt"], item["shardId"], item["sequenceNumber"], item["key"], contentOf(item)]
      : [item["sentAt"], item["messageId"], item["group"] ?? "-", item["receiveCount"], contentOf(item)],
  );
  const heads =
    kind === "stream"
      ? ["ARRIVED", "SHARD", "SEQUENCE NUMBER", "KEY", "DATA"]
      : ["SENT", "MESSAGE ID", "GROUP", "RECEIVED", "BODY"];
  return textTable([heads, ...rows.map((row) => row.map(shown))]);
}

function contentOf(item: SourceDocument): string {
  const content = shown(item["data"] ?? item["dataBase64"] ?? item["body"]);
  return content.length > CONTENT_CHARS_MAX ? `${content.slice(0, CONTENT_CHARS_MAX)}…` : content;
}

function shown(value: unknown): string {
  return printable(typeof value === "string" ? value : value === undefined ? "-" : JSON.stringify(value));
}
