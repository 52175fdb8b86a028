import type { QueryValues } from "./api-client.ts";
import type { Flag, Flags } from "./command.ts";
import { lastValue } from "./parse-flags.ts";

/** Which failures are meant; without any, all. */
export const FILTER_FLAGS = {
  mapping: { value: "NAME", description: "Only those of this mapping, by its name or UUID." },
  events: {
    value: "FUNCTION",
    description: "Only asynchronous events of this function that were given up.",
  },
  since: {
    value: "TIME",
    description: "From this time on: 2026-11-30T12:00Z, or how long ago: 90m, 2h, 3d.",
  },
  until: { value: "TIME", description: "Before this time." },
  shard: { value: "A..B", description: "Only those of these shards: one, or the first and the last." },
  key: { value: "KEY", description: "Only those with a record of this key." },
  error: { value: "ERROR", description: "Only those of this error: its id or type, as list shows them." },
  condition: {
    value: "CONDITION",
    description: "Only those: RetryAttemptsExhausted, RecordAgeExceeded or MaximumPayloadSizeExceeded.",
  },
  id: { value: "ID", isRepeatable: true, description: "Only this failure; may be given several times." },
} as const satisfies Readonly<Record<string, Flag>>;

/** What the API is asked for, by the names of the flags. */
export function readFilterFlags(flags: Flags): QueryValues {
  const named = Object.keys(FILTER_FLAGS).filter((name) => name !== "id");
  return { ...Object.fromEntries(named.map((name) => [name, lastValue(flags, name)])), id: flags.get("id") };
}
