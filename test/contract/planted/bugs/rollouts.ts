import { type ContractBug, contractBug } from "../contract-bug.ts";

const STEPS = "test/unit/rollouts/step-rollout.test.ts";
const PUBLISHED = "test/unit/control/published-aliases.test.ts";
const PROCESSES = "test/unit/rollouts/rollout-driver.test.ts";

/** Of rollouts: I38. */
export const ROLLOUT_BUGS: readonly ContractBug[] = [
  contractBug(
    "a rollout goes on while its alarm is on",
    { file: PROCESSES, test: "a version that fails goes back by itself once there were calls enough" },
    {
      at: "a-rollout-goes-on-while-its-alarm-is-on",
      instead:
        'if (verdict.kind === "bad" && rollout.phase === "before") return back(rollout, verdict.reason);',
    },
  ),
  contractBug(
    "a step does not wait for its interval",
    { file: STEPS, test: "a step waits for its interval, and for figures that are known" },
    {
      at: "a-step-does-not-wait-for-its-interval",
      instead: 'if (sinceMs < 0) return { kind: "wait", why: "" };',
    },
  ),
  contractBug(
    "figures that are unknown are taken for good",
    { file: STEPS, test: "a step waits for its interval, and for figures that are known" },
    {
      at: "figures-that-are-unknown-are-taken-for-good",
      instead: 'if (verdict.kind === "unknown" && sinceMs < 0) return { kind: "wait", why: "" };',
    },
  ),
  contractBug(
    "an answer of long ago is taken for now",
    { file: PROCESSES, test: "a step waits while Prometheus does not answer" },
    { at: "an-answer-of-long-ago-is-taken-for-now", instead: "return asked.state;" },
  ),
  contractBug(
    "a single failure rolls back",
    { file: STEPS, test: "19 failures of 19 calls: tooFew" },
    { at: "a-single-failure-rolls-back", instead: "if (calls < 1) return undefined;" },
  ),
  contractBug(
    "figures of a silent process count as zero",
    { file: PROCESSES, test: "a step waits for a process that lives and does not say how its calls went" },
    { at: "figures-of-a-dead-process-count-as-zero", instead: "const isWhole = fresh.length > 0;" },
  ),
  contractBug(
    "a roll-back leaves its weight",
    { file: PROCESSES, test: "a stop takes effect at once, and nothing moves the rollout afterwards" },
    {
      at: "a-roll-back-leaves-its-weight",
      instead: "return step > 0 ? (stepsOf(plan)[step - 1] ?? 100) / 100 : 0;",
    },
  ),
  contractBug(
    "a published number is given twice",
    { file: PUBLISHED, test: "what changes of a function is published as its next version" },
    { at: "a-published-number-is-given-twice", instead: "const number = isKnown ? newest.number : 1;" },
  ),
  contractBug(
    "a stopped rollout keeps its weight",
    { file: PROCESSES, test: "a stop takes effect at once, and nothing moves the rollout afterwards" },
    {
      at: "a-stopped-rollout-keeps-its-weight",
      instead: 'return { ...rollout, reason: "Somebody stopped it." };',
    },
  ),
];
