import { type ContractBug, contractBug } from "../contract-bug.ts";

const DEMAND = "test/unit/control/demand.test.ts";
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
  contractBug(
    "a source that cannot be asked has nothing",
    { file: DEMAND, test: "a source that cannot be asked counts as it did last, and one at least" },
    {
      at: "a-source-that-cannot-be-asked-has-nothing",
      lines: 2,
      instead: "return { ...NOTHING, problem: describeError(error) };",
    },
  ),
  contractBug(
    "a shard is not asked again once its checkpoint has moved",
    {
      file: DEMAND,
      test: "a record behind the checkpoint waits until the checkpoint moves, and is read once",
    },
    {
      at: "a-shard-is-not-asked-again-once-its-checkpoint-has-moved",
      lines: 2,
      instead: "if (known !== undefined && !isDeepStrictEqual(known, checkpoint)) return known;",
    },
  ),
  contractBug(
    "what a read says beside its records is not taken for work",
    { file: DEMAND, test: "the end of a shard, what was trimmed and another log are work, too" },
    {
      at: "what-a-read-says-beside-its-records-is-not-taken-for-work",
      instead: "const isOther = read.endOfShard;",
    },
  ),
  contractBug(
    "a tick that is due is passed over",
    {
      file: DEMAND,
      test: "a schedule is due at its next tick, at one that nobody enqueued, and at once before anybody began with it",
    },
    {
      at: "a-tick-that-is-due-is-passed-over",
      lines: 2,
      instead: "return nextTicks(timetable, place.atMs, nowMs).next?.dueMs;",
    },
  ),
  contractBug(
    "a secret that rotates is not followed",
    {
      file: CONTROLLER,
      test: "a secret that rotates is another file for the mapping that names it, and for no other",
    },
    {
      at: "a-secret-that-rotates-is-not-followed",
      instead: "isChanged ||= !hadAny && before !== undefined;",
    },
  ),
];
