import { test } from "node:test";
import { proveKilledWitness } from "./killed-witness.ts";

test(
  "after the process that saw a TypeError was killed, another of the same file still tells it",
  {
    timeout: 300_000,
  },
  (t) => proveKilledWitness(t, "sqlite:progress.db"),
);
