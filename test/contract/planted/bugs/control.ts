import { type ContractBug, contractBug } from "../contract-bug.ts";

const SETS = "test/unit/control/manifest-set.test.ts";
const MAPPINGS = "test/unit/control/manifest-mappings.test.ts";
const ADOPTION = "test/unit/control/adoption.test.ts";
const RECORDS = "test/unit/control/mapping-record.test.ts";

export const ROW_BUGS: readonly ContractBug[] = [
  contractBug(
    "a lower revision of manifests overwrites a higher",
    { file: SETS, test: "a lower revision overwrites nothing, brings nothing and orphans nothing" },
    {
      at: "a-lower-revision-overwrites",
      instead: "if (newest < 0) return { writes: [], refusals: [], newerRevision: 0 };",
    },
  ),
  contractBug(
    "a set of manifests takes what another owns",
    { file: SETS, test: "what another owner declared is not written, and the owner is named" },
    {
      at: "a-set-takes-what-another-owns",
      instead: 'if (obstacle === "leaving" || obstacle === "unreadable") return;',
    },
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
    {
      file: "test/unit/control/reload.test.ts",
      test: "only a mapping that changed restarts; one that is new starts, and one that is gone stops",
    },
    {
      at: "a-reload-restarts-what-did-not-change",
      instead: "const generation = functions.runKey(version, resource.functionName);",
    },
  ),
  contractBug(
    "the API edits what a manifest owns",
    {
      file: ADOPTION,
      test: "mappings of manifests are shown, and changed in their manifests only, until they are adopted",
    },
    { at: "the-api-edits-what-a-manifest-owns", instead: "if (isEnabled !== undefined || isOperation)" },
  ),
  contractBug(
    "a change of something else drops what the API set beside the owner",
    {
      file: MAPPINGS,
      test: "what the API disabled stays so over restarts and other changes, until its owner declares Enabled anew",
    },
    {
      at: "a-start-drops-what-the-api-set-beside-the-owner",
      instead:
        "const kept = Object.entries(overrides ?? {}).filter(([field]) => {\nif (field !== '') return false;",
    },
  ),
  contractBug(
    "an orphan is changed by the API",
    {
      file: MAPPINGS,
      test: "a mapping that vanished from its manifests stops, is drift, keeps its place, and goes on when it comes back",
    },
    { at: "an-orphan-is-changed-by-the-api", instead: "if (kept === undefined) throw notFound();" },
  ),
  contractBug(
    "an orphan is run by a process of a lower revision",
    {
      file: MAPPINGS,
      test: "with revisions a mapping that a higher one declares no more is run by nobody",
    },
    {
      at: "an-orphan-is-run-by-a-process-of-a-lower-revision",
      instead: "const isDeclared = here.uuids.has(uuid) && revisionOf(here.owner) >= 0;",
    },
  ),
  contractBug(
    "what the API said may name any place once manifests own it",
    {
      file: RECORDS,
      test: "what manifests declare names the places that it likes; what the API said does not, also when manifests own it",
    },
    {
      at: "what-the-api-said-may-name-any-place-once-manifests-own-it",
      instead:
        'const connectors = owner.kind === "manifest" ? (reading.manifestConnectors ?? []) : reading.connectors;',
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
