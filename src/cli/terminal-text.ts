import type { LogLevel } from "../ports/telemetry.ts";

/**
 * A log line for people, with texts that have lines of their own below it. Control characters are shown as �, since
 * texts of functions and sources end up here.
 */
export function formatLogLine(
  timeMs: number,
  level: LogLevel,
  message: string,
  fields: Readonly<Record<string, string | number | boolean>>,
): string {
  const time = new Date(timeMs).toTimeString().slice(0, 8);
  const { errorText, stack, ...others } = fields;
  const shown = Object.entries(others).map(([name, value]) => ` ${name}=${value}`);
  const first = printable(`${time} ${level.padEnd(5)} ${message}${shown.join("")}`);
  const texts = [errorText, stack].filter((text) => text !== undefined).join("\n");
  if (texts === "") return first;
  return [first, ...texts.split("\n").map((line) => `    ${printableOutput(line)}`)].join("\n");
}

export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "\u{fffd}");
}

/** A line that a function has printed: tabs are part of many. */
export function printableOutput(line: string): string {
  return line.replaceAll(/(?!\t)\p{Cc}/gu, "\u{fffd}");
}

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** A count and what is counted: `1 key`, `2 keys`. */
export function formatCounted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
