import { type ContractBug, contractBug } from "../contract-bug.ts";

const CONTROLLER = "test/unit/kubernetes/controller.test.ts";

/** Bugs of the controller of custom resources. */
export const KUBERNETES_BUGS: readonly ContractBug[] = [
  contractBug(
    "a watch that is too old goes on where it was",
    { file: CONTROLLER, test: "a watch whose changes are forgotten begins anew with a list" },
    { at: "a-watch-that-is-too-old-goes-on-where-it-was", instead: "" },
  ),
  contractBug(
    "what was not listed yet is taken for gone",
    {
      file: CONTROLLER,
      test: "nothing that was not listed yet is taken for gone: with one kind refused nothing is applied",
    },
    { at: "what-was-not-listed-yet-is-taken-for-gone", instead: "" },
  ),
  contractBug(
    "what is deleted goes before it is drained",
    {
      file: CONTROLLER,
      test: "what is deleted stays until no process works on it, and a function until nothing names it",
    },
    {
      at: "what-is-deleted-goes-before-it-is-drained",
      lines: 3,
      instead: "const works = declared.length < 0;",
    },
  ),
  contractBug(
    "a resource that is not accepted is stopped",
    {
      file: "test/unit/control/manifest-set.test.ts",
      test: "what is kept is no orphan, with the versions and aliases of a function",
    },
    {
      at: "a-resource-that-is-not-accepted-is-stopped",
      instead: "const orphans = orphansOf(own, declarations);",
    },
  ),
];
