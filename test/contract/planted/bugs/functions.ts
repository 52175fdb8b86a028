import { type ContractBug, contractBug } from "../contract-bug.ts";

const LIFE = "test/unit/api/function-life.test.ts";
const RACES = "test/unit/api/function-races.test.ts";
const VERSIONS = "test/unit/api/function-versions.test.ts";

/** Functions that callers of the API make. */
export const FUNCTION_BUGS: readonly ContractBug[] = [
  contractBug(
    "a late tick ends calls that were answered",
    {
      file: "test/unit/functions/call-watch.test.ts",
      test: "gives calls of a process that stood still a tick more",
    },
    { at: "a-late-tick-ends-calls-that-were-answered", instead: "const isLate = false;" },
  ),
  contractBug(
    "a process that stands still twice ends calls whose answers it has not read",
    {
      file: "test/unit/functions/call-watch.test.ts",
      test: "gives each call a tick more, also where the process stands still again at once",
    },
    {
      at: "a-second-late-tick-ends-calls-that-were-answered",
      instead: "const endedMs = isLate && this.#lateMs < 0 ? this.#lateMs : now;",
    },
  ),
  contractBug(
    "the API changes a function that a manifest owns",
    {
      file: LIFE,
      test: "a manifest's function is not changed by the API, which says whose it is and how it changes hands",
    },
    { at: "the-api-changes-a-function-that-a-manifest-owns", instead: "" },
  ),
  contractBug(
    "a stale revision is written over",
    { file: LIFE, test: "who saw something older changes nothing" },
    { at: "a-stale-revision-is-written-over", instead: "" },
  ),
  contractBug(
    "a function is made over another",
    { file: LIFE, test: "of two who make a function of one name at once, one does" },
    {
      at: "a-function-is-made-over-another",
      instead: "await writer.insert(FUNCTION_KIND, name, document);",
    },
  ),
  contractBug(
    "an update is written over another",
    { file: RACES, test: "who began before another's update was written does not write over it" },
    {
      at: "an-update-is-written-over-another",
      instead: "if (isOvertaken && isBehind(0)) throw beingChanged(fn.name, false, writer.options.place);",
      lines: 2,
    },
  ),
  contractBug(
    "what changes while it is deleted stays",
    { file: RACES, test: "a function that changes while it is deleted is gone, with all that it had" },
    {
      at: "what-changes-while-it-is-deleted-stays",
      instead: "return void (await store.remove(uid, seen));",
    },
  ),
  contractBug(
    "an update is answered with what others made of it",
    { file: RACES, test: "who updates at the same moment is answered with what was sent" },
    {
      at: "an-update-is-answered-with-what-others-made-of-it",
      instead: "if (!isToPublish) return await this.get(name, undefined);",
    },
  ),
  contractBug(
    "what others wrote is published in the place of what was sent",
    {
      file: RACES,
      test: "who publishes with an update is told when another came between, and publishes what was sent else",
    },
    {
      at: "what-others-wrote-is-published-in-the-place-of-what-was-sent",
      instead: "return await versions.publish(name, {});",
    },
  ),
  contractBug(
    "a publish that died is published twice",
    { file: VERSIONS, test: "a publish whose process died before it was counted is met by the next" },
    { at: "a-publish-that-died-is-published-twice", instead: "" },
  ),
  contractBug(
    "a connection with something left over is kept",
    {
      file: "test/unit/network/wire-client.test.ts",
      test: "a connection on which more comes than was asked for carries no other request",
    },
    {
      at: "a-connection-with-something-left-over-is-kept",
      instead: "if (!isKept || this.#idleSecondsMax <= 0) this.#hangUp();",
    },
  ),
];
