import { validatePattern } from "../engine/filter/filter.ts";
import { parseExpression } from "../schedules/expression.ts";
import { findZone } from "../schedules/zone.ts";
import { parseFunctionName } from "./function-name.ts";
import type { ManifestDocument } from "./manifest-document.ts";
import { patternText, ruleKey, scheduleKey } from "./schedule-resource.ts";
import type { RuleSpec, RuleTarget, ScheduleSpec } from "./schedule-schema.ts";
import { epochMsOf } from "./timestamp.ts";

/** What is wrong with a schedule or a rule: as AWS says it, and what to write instead. */
export interface ScheduleFault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly remedy: string;
}

const EXPRESSIONS =
  "Write rate(5 minutes), cron(minutes hours day-of-month month day-of-week year) with one ? among the days, or at(2026-12-24T18:00:00)";
const TARGET = "Name a function: its metadata.name, with :ALIAS or :VERSION behind it if wanted, or its ARN";

export function scheduleFaults(spec: ScheduleSpec): readonly ScheduleFault[] {
  const faults: ScheduleFault[] = [];
  const { scheduleExpression: text, scheduleExpressionTimezone: zone, startDate, endDate } = spec;
  if (parseExpression(text, "scheduler") === undefined)
    faults.push({
      path: ["scheduleExpression"],
      message: `Invalid Schedule Expression ${text}.`,
      remedy: EXPRESSIONS,
    });
  if (findZone(zone) === undefined) {
    const remedy = "Give a zone of the IANA database, such as Europe/Berlin or UTC";
    const message = "The schedule expression timezone you provided is not valid.";
    faults.push({ path: ["scheduleExpressionTimezone"], message, remedy });
  }
  const { mode, maximumWindowInMinutes } = spec.flexibleTimeWindow;
  if (mode === "FLEXIBLE" && maximumWindowInMinutes === undefined) {
    const message =
      "The maximum time window value cannot be null when flexible time window mode is FLEXIBLE.";
    faults.push({ path: ["flexibleTimeWindow"], message, remedy: "Give maximumWindowInMinutes" });
  }
  if (mode === "OFF" && maximumWindowInMinutes !== undefined) {
    const message = "The maximum time window value must be null when flexible time window mode is OFF.";
    faults.push({ path: ["flexibleTimeWindow"], message, remedy: "Remove it, or set mode to FLEXIBLE" });
  }
  if (startDate !== undefined && endDate !== undefined && epochMsOf(endDate) <= epochMsOf(startDate)) {
    const message = "The EndDate you specify must come after the StartDate.";
    faults.push({ path: ["endDate"], message, remedy: "Give a later endDate" });
  }
  return [...faults, ...targetFaults(spec.target, ["target"])];
}

export function ruleFaults(spec: RuleSpec): readonly ScheduleFault[] {
  const faults: ScheduleFault[] = [];
  const { scheduleExpression: text, eventBusName, targets } = spec;
  const pattern = patternText(spec);
  if (text === undefined && pattern === undefined) {
    const message = "Parameter(s) EventPattern or ScheduleExpression must be specified.";
    faults.push({ path: [], message, remedy: "Give eventPattern or scheduleExpression" });
  }
  const expression = text === undefined ? undefined : parseExpression(text, "rule");
  if (text !== undefined && (expression === undefined || expression.kind === "at")) {
    const message = "Parameter ScheduleExpression is not valid.";
    faults.push({ path: ["scheduleExpression"], message, remedy: EXPRESSIONS });
  }
  if (text !== undefined && eventBusName !== "default") {
    const message = "ScheduleExpression is supported only on the default event bus.";
    faults.push({ path: ["eventBusName"], message, remedy: "Leave eventBusName out, or use a Schedule" });
  }
  const reason = pattern === undefined ? undefined : validatePattern(pattern);
  if (reason !== undefined) {
    const message = `Event pattern is not valid. Reason: ${reason}`;
    faults.push({ path: ["eventPattern"], message, remedy: "Look at it with millrace test-pattern" });
  }
  if (new Set(targets.map(({ id }) => id)).size < targets.length)
    faults.push({ path: ["targets"], message: "Two targets have the same id", remedy: "Give each its own" });
  const ofTargets = targets.flatMap((target, index) => [
    ...targetFaults(target, ["targets", index]),
    ...inputFaults(target, ["targets", index]),
  ]);
  return [...faults, ...ofTargets];
}

function targetFaults(
  { arn, input }: Pick<RuleTarget, "arn" | "input">,
  path: readonly PropertyKey[],
): readonly ScheduleFault[] {
  const faults: ScheduleFault[] = [];
  if (parseFunctionName(arn) === undefined)
    faults.push({
      path: [...path, "arn"],
      message: `Provided Arn is not in correct format.`,
      remedy: TARGET,
    });
  if (input !== undefined && !isJson(input)) {
    const message = "The Input is not a JSON text";
    faults.push({ path: [...path, "input"], message, remedy: "Put a text in quotation marks of its own" });
  }
  return faults;
}

function inputFaults(
  { id, input, inputPath, inputTransformer }: RuleTarget,
  path: readonly PropertyKey[],
): readonly ScheduleFault[] {
  const given = [input, inputPath, inputTransformer].filter((each) => each !== undefined);
  if (given.length < 2) return [];
  const message = `Only one of Input, InputPath, or InputTransformer must be provided for target ${id}.`;
  return [{ path, message, remedy: "Remove the others" }];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Rules that shapes cannot say, of the documents of both kinds; names are unique within a group or a bus. */
export function checkSchedules(documents: readonly ManifestDocument[]): void {
  const first = new Map<string, ManifestDocument>();
  for (const document of documents) {
    const { manifest } = document;
    if (manifest?.kind !== "Schedule" && manifest?.kind !== "Rule") continue;
    const isSchedule = manifest.kind === "Schedule";
    const faults = isSchedule ? scheduleFaults(manifest.spec) : ruleFaults(manifest.spec);
    for (const { path, message, remedy } of faults) document.report(["spec", ...path], message, remedy);
    const { name } = manifest.metadata;
    const key = isSchedule
      ? `schedule ${scheduleKey({ name, spec: manifest.spec })}`
      : `rule ${ruleKey({ name, spec: manifest.spec })}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, document);
    else {
      const message = `There is another ${manifest.kind} of this name at ${other.position}`;
      document.report(["metadata", "name"], message, "Rename or remove one of them");
    }
  }
}

/** Names of functions that a document's targets are, with where they stand. */
export function targetsIn(
  document: ManifestDocument,
): readonly { readonly path: readonly PropertyKey[]; readonly text: string }[] {
  const { manifest } = document;
  if (manifest?.kind === "Schedule")
    return [{ path: ["spec", "target", "arn"], text: manifest.spec.target.arn }];
  if (manifest?.kind !== "Rule") return [];
  return manifest.spec.targets.map(({ arn: text }, index) => ({
    path: ["spec", "targets", index, "arn"],
    text,
  }));
}
