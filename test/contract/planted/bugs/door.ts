import { type ContractBug, contractBug } from "../contract-bug.ts";

const INVOKER = "test/unit/invocation/function-invoker.test.ts";
const ROUTES = "test/unit/invocation/function-routes.test.ts";
const ALIAS = "test/unit/invocation/alias-route.test.ts";
const PIPE = "test/unit/invocation/piped-invoker.test.ts";
const POOL = "test/unit/invocation/unreserved-pool.test.ts";

const TIMEOUTS = "test/unit/model/call-timeouts.test.ts";

/** Where a call goes, and who is sent away at the door. */
export const DOOR_BUGS: readonly ContractBug[] = [
  contractBug(
    "who waited for a function that was shut is not told",
    {
      file: INVOKER,
      test: "a function whose concurrency is 0 refuses every call at once, those that wait too, and takes calls again when it may",
    },
    { at: "who-waited-for-a-function-that-was-shut-is-not-told", instead: 'return "notStarted";' },
  ),
  contractBug(
    "what nobody declares is taken for not ready",
    {
      file: INVOKER,
      test: "a function that nobody declares any more refuses its calls, and serves them once it is declared anew",
    },
    {
      at: "what-nobody-declares-is-taken-for-not-ready",
      instead: 'if (this.#isGone) return "notReady";',
    },
  ),
  contractBug(
    "a call goes where its name led when it came",
    {
      file: INVOKER,
      test: "the version of an alias is looked up when a call starts, and the outcome says which one ran",
    },
    { at: "a-call-goes-where-its-name-led-when-it-came", instead: "" },
  ),
  contractBug(
    "a version has the time-out of latest",
    {
      file: ROUTES,
      test: "a call has the time-out of the version that it goes to, and a version without one that of the function",
    },
    { at: "a-version-has-the-time-out-of-latest", instead: "return timeoutMs;" },
  ),
  contractBug(
    "an alias has the time-out of its main version",
    { file: TIMEOUTS, test: "a name may take as long as the slowest version that it leads to" },
    {
      at: "an-alias-has-the-time-out-of-its-main-version",
      instead: "const versions = [alias.version];",
    },
  ),
  contractBug(
    "each attempt draws its version anew",
    { file: ALIAS, test: "all attempts of a call of a weighted alias go to one version" },
    { at: "each-attempt-draws-its-version-anew", instead: "let rest = Math.random();" },
  ),
  contractBug(
    "an alias's weights are not heeded",
    { file: ALIAS, test: "a weight is the share of calls that another version gets" },
    { at: "an-aliass-weights-are-not-heeded", instead: "if (rest < -1) return other;" },
  ),
  contractBug(
    "an alias is shut with its main version",
    { file: ROUTES, test: "an alias is shut only when none of its versions can run" },
    { at: "an-alias-is-shut-with-its-main-version", lines: 2, instead: "" },
  ),
  contractBug(
    "a version that could not be opened is called",
    {
      file: ROUTES,
      test: "a version that is not there is no such function, and one that could not be opened is not ready",
    },
    {
      at: "a-version-that-could-not-be-opened-is-called",
      instead: "this.#versions.set(version, route);",
    },
  ),
  contractBug(
    "who reserves takes of the shared places",
    { file: POOL, test: "what a function reserves is its own, whatever others run" },
    { at: "who-reserves-takes-of-the-shared-places", instead: "this.#pool = this.#unreserved;" },
  ),
  contractBug(
    "what others reserve is shared once more",
    {
      file: POOL,
      test: "functions that reserve nothing share what the account leaves them, each its even part",
    },
    { at: "what-others-reserve-is-shared-once-more", instead: "const left = this.#account;" },
  ),
  contractBug(
    "a failed enrichment is passed over",
    { file: PIPE, test: "an enrichment that ends functionError is what the call comes to" },
    {
      at: "a-failed-enrichment-is-passed-over",
      instead: 'if (result.kind !== "succeeded") return this.#target.invoke(call);',
    },
  ),
  contractBug(
    "a stage gets more than a function takes",
    { file: PIPE, test: "what fits in characters only is sent to nobody" },
    {
      at: "a-stage-gets-more-than-a-function-takes",
      instead: "if (batch.length > 1e12) throw new OversizedStage();",
    },
  ),
];
