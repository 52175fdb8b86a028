import { test } from "node:test";
import { provesSharedConcurrency } from "../shared-concurrency.ts";

test(
  "two processes on one SQLite store share a function's reserved concurrency, and what a killed one had comes back",
  { timeout: 240_000 },
  (t) => provesSharedConcurrency(t, "sqlite:progress.db"),
);
