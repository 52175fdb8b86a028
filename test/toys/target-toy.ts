import { appendFile } from "node:fs/promises";
import { MillraceError } from "../../src/model/errors.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import type { FunctionTargetKind } from "../../src/ports/function-target-kind.ts";

/** A toy: a function that writes down what it is told, and says it again. No other file holds its words. */

/** What the tests look for. */
export const TARGET_TOY = {
  word: /barn-?owl/i,
  fields: (nest: unknown) => ({ custom: { kind: "barnowl", settings: { barnowlNest: nest } } }),
  settings: (nest: string) => ({ barnowlNest: nest }),
  nestField: "barnowlNest",
  homeless: "A barn owl needs a nest",
  description: "Writes down what it is told, and says it again.",
  nestSays: "Where the barn owl writes.",
} as const;

const barnowl: FunctionTargetKind = {
  kind: "barnowl",
  description: TARGET_TOY.description,
  settings: { barnowlNest: { type: "string", description: TARGET_TOY.nestSays } },
  check({ barnowlNest: nest }) {
    if (typeof nest === "string" && nest !== "") return [];
    return [{ path: [TARGET_TOY.nestField], message: TARGET_TOY.homeless, remedy: "Give barnowlNest: PATH" }];
  },
  open: openToyTarget,
};

export const TARGETS = [barnowl];

export async function openToyTarget({
  barnowlNest: nest,
}: Readonly<Record<string, unknown>>): Promise<FunctionTarget> {
  if (typeof nest !== "string") throw new MillraceError("ERR_MILLRACE_CONFIG", TARGET_TOY.homeless);
  let isClosed = false;
  return {
    async invoke(payload, _context, signal) {
      if (signal.aborted || isClosed) return { kind: "unavailable", message: "the owl is out" };
      const event = Buffer.from(payload);
      try {
        await appendFile(nest, `${event.toString()}\n`);
        return { kind: "succeeded", payload: event };
      } catch {
        return { kind: "functionError", errorType: "Owl", message: "the nest is gone" };
      }
    },
    async close() {
      isClosed = true;
    },
  };
}
