import { type ContractBug, contractBug } from "../contract-bug.ts";

const SETS = "test/unit/control/manifest-set.test.ts";

export const ROW_BUGS: readonly ContractBug[] = [
  contractBug(
    "a lower revision of manifests overwrites a higher",
    { file: SETS, test: "a lower revision overwrites nothing, brings nothing and orphans nothing" },
    {
      at: "a-lower-revision-overwrites",
      instead: "if (newest < 0) return { writes: [], refusals, newerRevision: 0 };",
    },
  ),
  contractBug(
    "a set of manifests takes what another owns",
    { file: SETS, test: "what another owner declared is not written, and the owner is named" },
    { at: "a-set-takes-what-another-owns", instead: "refusals.length = 0;" },
  ),
  contractBug(
    "prune removes what is declared",
    {
      file: "test/unit/control/resource-control.test.ts",
      test: "orphans are drift until they are pruned, and nothing that is declared is",
    },
    { at: "prune-removes-what-is-declared", instead: "if (!isMeant) continue;" },
  ),
  contractBug(
    "a reload restarts what did not change",
    { file: "test/unit/control/reload.test.ts", test: "manifests that say the same restart nothing" },
    {
      at: "a-reload-restarts-what-did-not-change",
      instead: "const generation = content + Math.random();",
    },
  ),
  contractBug(
    "a hang-up without a terminal stops",
    {
      file: "test/unit/cli/watch-signals.test.ts",
      test: "without a terminal a hang-up has manifests read again, any number of times, and stops nothing",
    },
    {
      at: "a-hang-up-without-a-terminal-stops",
      instead: "if (host.exitNow === undefined) return onReload();",
    },
  ),
];
