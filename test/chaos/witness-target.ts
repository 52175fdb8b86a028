import { createHttpFunction } from "../../src/functions/http.ts";
import type { FunctionTargetKind } from "../../src/ports/function-target-kind.ts";

/** The environment variable of a process that says where it calls. */
export const WITNESS_URL = "MILLRACE_CHAOS_URL";

/** A function that each process calls under a URL of its own, which stands in its environment. */
export const TARGETS: readonly FunctionTargetKind[] = [
  {
    kind: "chaos-witness",
    check: () => [],
    open: async (_settings, { concurrency }) =>
      createHttpFunction({ url: process.env[WITNESS_URL] ?? "", connections: concurrency }),
  },
];
