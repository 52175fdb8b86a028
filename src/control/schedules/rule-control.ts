import { ruleFaults } from "../../manifests/schedule-checks.ts";
import { type RuleResource, ruleKey, ruleTimetable } from "../../manifests/schedule-resource.ts";
import { ruleSpec } from "../../manifests/schedule-schema.ts";
import { RULE_KIND } from "../../resources/kinds.ts";
import { ticksToCome } from "../../schedules/next-ticks.ts";
import { ControlFault } from "../control-fault.ts";
import { RowWriter, type RowWriterOptions } from "./row-writer.ts";
import { shapeFault } from "./schedule-control.ts";
import { schedulesOf, sinceMs } from "./schedule-rows.ts";

export interface RuleView {
  readonly rule: RuleResource;
  /** Epoch milliseconds; none of a rule without a schedule. */
  readonly nextTicks: readonly number[];
}

type Fields = Readonly<Record<string, unknown>>;

const SHOWN_TICKS = 5;

/** What callers of EventBridge's API do to rules, in AWS's words. */
export class RuleControl {
  readonly #rules: RowWriter;
  readonly #options: RowWriterOptions;

  constructor(options: RowWriterOptions) {
    this.#options = options;
    this.#rules = new RowWriter(RULE_KIND, options);
  }

  /** In the order of buses and names. */
  async list(): Promise<readonly RuleView[]> {
    const nowMs = this.#options.clock.now();
    return schedulesOf(await this.#rules.list()).rules.map(({ rule, row, document }) => {
      const anchorMs = sinceMs(document);
      const timetable =
        rule.spec.state === "ENABLED" ? ruleTimetable(rule.spec, { uid: row.uid, anchorMs }) : undefined;
      const ticks = timetable === undefined ? [] : ticksToCome(timetable, nowMs, SHOWN_TICKS);
      return { rule, nextTicks: ticks.map(({ atMs }) => atMs) };
    });
  }

  async get(bus: string, name: string): Promise<RuleView> {
    const view = (await this.list()).find(({ rule }) => ruleKey(rule) === `${bus}/${name}`);
    if (view === undefined) throw noRule(bus, name);
    return view;
  }

  /** Makes it, or replaces all of it but its targets. */
  async put(name: string, given: Fields): Promise<RuleResource> {
    const rule = { name, spec: checkedSpec(given) };
    const key = ruleKey(rule);
    const isChanged = await this.#rules.change(key, ({ targets = [] }) => ({ ...rule.spec, targets }));
    if (!isChanged && !(await this.#rules.insert(key, rule.spec))) return await this.put(name, given);
    return rule;
  }

  /** Those of the same id are replaced. */
  async putTargets(bus: string, name: string, targets: readonly Fields[]): Promise<void> {
    await this.#change(bus, name, (spec) => {
      const ids = new Set(targets.map(({ id }) => id));
      const kept = targetsOf(spec).filter(({ id }) => !ids.has(id));
      const next = { ...spec, targets: [...kept, ...targets] };
      if (kept.length + targets.length > TARGETS_MAX)
        throw new ControlFault(
          "LimitExceededException",
          "The requested resource exceeds the maximum number allowed.",
        );
      return checkedSpec(next);
    });
  }

  /** Those that are not there are left out. */
  async removeTargets(bus: string, name: string, ids: readonly string[]): Promise<void> {
    await this.#change(bus, name, (spec) => ({
      ...spec,
      targets: targetsOf(spec).filter(({ id }) => typeof id !== "string" || !ids.includes(id)),
    }));
  }

  async setState(bus: string, name: string, state: "ENABLED" | "DISABLED"): Promise<void> {
    if (!(await this.#rules.setState(`${bus}/${name}`, state))) throw noRule(bus, name);
  }

  /** One that never was is deleted, too. */
  async remove(bus: string, name: string): Promise<void> {
    const view = (await this.list()).find(({ rule }) => ruleKey(rule) === `${bus}/${name}`);
    if (view === undefined) return;
    if (view.rule.spec.targets.length > 0)
      throw new ControlFault("ValidationException", "Rule can't be deleted since it has targets.");
    await this.#rules.remove(`${bus}/${name}`);
  }

  async #change(bus: string, name: string, change: (spec: Fields) => Fields): Promise<void> {
    if (!(await this.#rules.change(`${bus}/${name}`, change))) throw noRule(bus, name);
  }
}

const TARGETS_MAX = 5;

function targetsOf({ targets }: Fields): readonly Fields[] {
  return Array.isArray(targets) ? targets : [];
}

function checkedSpec(spec: Fields): RuleResource["spec"] {
  const parsed = ruleSpec.safeParse(spec);
  if (!parsed.success) throw shapeFault(parsed.error, spec);
  const [fault] = ruleFaults(parsed.data);
  if (fault === undefined) return parsed.data;
  const isPattern = fault.path[0] === "eventPattern";
  throw new ControlFault(isPattern ? "InvalidEventPatternException" : "ValidationException", fault.message);
}

function noRule(bus: string, name: string): ControlFault {
  return new ControlFault("ResourceNotFoundException", `Rule ${name} does not exist on EventBus ${bus}.`);
}
