import type { FunctionErrorEntry, FunctionErrors } from "../model/function-error.ts";

const INDENT = "    ";

/** How a mapping's function fails, for people; without texts where the reader may not see them. */
export function errorLines({ errors, leftOut }: FunctionErrors): readonly string[] {
  const others = leftOut === 0 ? [] : [`  and ${leftOut} times an error made room for these`];
  return [...errors.flatMap(oneError), ...others];
}

function oneError(entry: FunctionErrorEntry): readonly string[] {
  const { id, errorType, message, count, firstSeenMs, lastSeenMs, lastRequestId, version } = entry;
  const said = message === undefined ? errorType : `${errorType}: ${message}`;
  const [first = "", ...more] = said.split("\n");
  const times = count === 1 ? "once" : `${count} times from ${timeText(firstSeenMs)}`;
  const ran = version === undefined ? "" : `, version ${version}`;
  return [
    `  ERROR ${id}: ${first}`,
    ...more.map((line) => INDENT + line),
    ...bodyLines(entry, said).map((line) => INDENT + line),
    `${INDENT}${times}, last at ${timeText(lastSeenMs)}${ran}${placeText(entry)}; request ${lastRequestId}`,
  ];
}

/** Stack and output. What the first line says is not said again. */
export function bodyLines({ stack, logTail }: FunctionErrorEntry, said: string): readonly string[] {
  const own = stack?.startsWith(said) === true ? stack.slice(said.length) : stack;
  const stackLines = own?.split("\n").filter((line) => line.trim() !== "") ?? [];
  const printed = logTail?.split("\n").filter((line) => line.trim() !== "") ?? [];
  return [
    ...stackLines,
    ...(printed.length === 0
      ? []
      : ["it printed last:", ...printed.map((line) => `| ${line.replaceAll("\t", "  ")}`)]),
  ];
}

function placeText({ sample: { shardId, group, position } }: FunctionErrorEntry): string {
  const parts = [
    ...(shardId === undefined ? [] : [shardId]),
    ...(group === undefined ? [] : [`group ${group}`]),
    ...(position === undefined ? [] : [`record ${position}`]),
  ];
  return parts.length === 0 ? "" : `, at ${parts.join(" ")}`;
}

function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(11, 19);
}
