import { profileDurationMs, profileRecords } from "./rate-profile.ts";
import type { Scenario } from "./scenario-schema.ts";

export interface ScenarioIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly remedy: string;
}

/** Rules between fields of a scenario. */
export function checkScenario({ spec }: Scenario): readonly ScenarioIssue[] {
  const issues: ScenarioIssue[] = [];
  const report = (path: readonly PropertyKey[], message: string, remedy: string) => {
    issues.push({ path: ["spec", ...path], message, remedy });
  };
  const { record, rate, faults, mapping, memory } = spec;
  if (record.bytesMax !== undefined && record.bytesMax < record.bytes) {
    report(
      ["record", "bytesMax"],
      "The largest record is smaller than the smallest",
      `Give ${record.bytes} or more`,
    );
  }
  const { shape, ms, msMax } = spec.function.latency;
  if (shape !== "constant" && msMax < ms) {
    report(["function", "latency", "msMax"], "The largest latency is below ms", `Give ${ms} or more`);
  }
  const seconds = profileDurationMs(rate) / 1000;
  if (profileRecords(rate) < 1) {
    report(["rate"], "The test sends no record", "Give a phase with a perSecond above 0");
  }
  for (const [index, { atSeconds }] of faults.entries()) {
    if (atSeconds < seconds) continue;
    const remedy = `Give less than ${seconds}, the seconds of all phases together`;
    report(["faults", index, "atSeconds"], "The fault begins when the test is over", remedy);
  }
  checkOverlaps(spec.faults, report);
  checkOwnFunction(spec, report);
  if (spec.engine === "none") checkNoEngine(spec, report);
  if (mapping["functionName"] !== undefined) {
    report(["mapping", "functionName"], "The test brings its own function", "Remove the field");
  }
  const { errors } = spec.function;
  if (errors.throwPercent + errors.partialPercent + errors.throttlePercent + errors.timeoutPercent > 100) {
    report(["function", "errors"], "More than 100 percent of all invocations go wrong", "Lower the shares");
  }
  if (memory.warmupSeconds !== undefined && memory.warmupSeconds >= seconds) {
    const message = "The whole test is warm-up: growth cannot be judged";
    report(["memory", "warmupSeconds"], message, `Give less than ${seconds}`);
  }
  return issues;
}

type Report = (path: readonly PropertyKey[], message: string, remedy: string) => void;

/** It takes the time that it takes, and fails when it fails. */
function checkOwnFunction({ function: fn }: Scenario["spec"], report: Report): void {
  if (fn.url === undefined) return;
  const { throwPercent, partialPercent, throttlePercent, timeoutPercent } = fn.errors;
  if (throwPercent + partialPercent + throttlePercent + timeoutPercent > 0) {
    const remedy = "Remove the field: your function fails by itself, and faults still come";
    report(["function", "errors"], "The function is your own", remedy);
  }
}

/** What is not started is not killed, not watched, and does not look for the function. */
function checkNoEngine(
  { function: fn, faults, thresholds, mapping }: Scenario["spec"],
  report: Report,
): void {
  if (fn.listen === undefined) {
    const message = "Without an engine nobody is told where the function is";
    report(["function"], message, "Give listen: HOST:PORT, and have what calls the function post there");
  }
  if (mapping["eventSourceArn"] === undefined && mapping["selfManagedEventSource"] === undefined) {
    const message = "Without an engine nobody reads the test's own source";
    report(["mapping"], message, "Give eventSourceArn or selfManagedEventSource of the source that is read");
  }
  for (const [index, { kind }] of faults.entries()) {
    if (!isOfEngine(kind)) continue;
    const remedy = "Give throttle, stall or errors, which are the function's, or disturb it by hand";
    report(["faults", index, "kind"], "There is no engine that could be disturbed", remedy);
  }
  for (const name of ["heapMibPerHourMax", "rssMibPerHourMax"] as const) {
    if (thresholds[name] === undefined) continue;
    report(["thresholds", name], "There is no engine whose memory could be watched", "Remove the field");
  }
}

/** A process that is gone cannot be paused, and a function cannot refuse and keep silent at once. */
function checkOverlaps(
  faults: Scenario["spec"]["faults"],
  report: (path: readonly PropertyKey[], message: string, remedy: string) => void,
): void {
  for (const [index, fault] of faults.entries()) {
    const before = faults.slice(0, index).findIndex((other) => {
      const isSameSide = isOfEngine(other.kind) === isOfEngine(fault.kind);
      const meets =
        other.atSeconds < fault.atSeconds + fault.seconds &&
        fault.atSeconds < other.atSeconds + other.seconds;
      return isSameSide && meets;
    });
    if (before === -1) continue;
    const message = `The fault overlaps with spec.faults[${before}]`;
    report(["faults", index], message, "Let one end before the other begins");
  }
}

function isOfEngine(kind: Scenario["spec"]["faults"][number]["kind"]): boolean {
  return kind === "crash" || kind === "pause";
}
