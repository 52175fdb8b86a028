import { ControlFault } from "../../control/control-fault.ts";
import type { ControlPlane } from "../../control/control-plane.ts";
import type { RuleView } from "../../control/schedules/rule-control.ts";
import { testPattern } from "../../engine/filter/test-pattern.ts";
import { patternText, ruleArn } from "../../manifests/schedule-resource.ts";
import { MillraceError } from "../../model/errors.ts";
import type { Place } from "../../model/place.ts";
import type { TargetOperations } from "../target-operations.ts";
import { busOf } from "./event-bus-name.ts";
import { lowerMembers, upperMembers } from "./lower-members.ts";
import { putEvents } from "./put-events.ts";

type Body = Readonly<Record<string, unknown>>;

const PAGE_MAX = 100;

/** Operations of EventBridge on rules and events: clients find them by `AWS_ENDPOINT_URL_EVENTBRIDGE`. */
export function eventsOperations(control: () => ControlPlane): TargetOperations {
  const operations = { ...changes(control), ...questions(control) };
  return Object.fromEntries(Object.entries(operations).map(([name, each]) => [`AWSEvents.${name}`, each]));
}

function changes(control: () => ControlPlane): TargetOperations {
  return {
    PutEvents: { role: "send", handle: (body) => putEvents(body, control().timed.eventBus) },
    PutRule: {
      ...CHANGE,
      async handle(body) {
        const { EventBusName, Name, ...members } = body;
        const {
          timed: { rules },
          place,
        } = control();
        const given = lowerMembers({ ...members, EventBusName: busOf(EventBusName) });
        const rule = await rules.put(textOf(Name, "name"), given);
        return { RuleArn: ruleArn(rule, place) };
      },
    },
    PutTargets: {
      ...CHANGE,
      async handle(body) {
        const targets = listOf(body["Targets"], "targets").map((each) => lowerMembers(each));
        await control().timed.rules.putTargets(...ruleOf(body, "Rule"), targets);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
    },
    RemoveTargets: {
      ...CHANGE,
      async handle(body) {
        const ids = Array.isArray(body["Ids"]) ? body["Ids"].map(String) : [];
        await control().timed.rules.removeTargets(...ruleOf(body, "Rule"), ids);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
    },
    DeleteRule: {
      ...CHANGE,
      handle: async (body) => nothing(control().timed.rules.remove(...ruleOf(body, "Name"))),
    },
    EnableRule: {
      ...CHANGE,
      handle: async (body) => nothing(control().timed.rules.setState(...ruleOf(body, "Name"), "ENABLED")),
    },
    DisableRule: {
      ...CHANGE,
      handle: async (body) => nothing(control().timed.rules.setState(...ruleOf(body, "Name"), "DISABLED")),
    },
  };
}

function questions(control: () => ControlPlane): TargetOperations {
  return {
    DescribeRule: {
      role: "read",
      async handle(body) {
        const {
          timed: { rules },
          place,
        } = control();
        return { ...ruleShape(await rules.get(...ruleOf(body, "Name")), place), CreatedBy: place.account };
      },
    },
    ListRules: {
      role: "read",
      async handle(body) {
        const {
          timed: { rules },
          place,
        } = control();
        const bus = busOf(body["EventBusName"]);
        const prefix = typeof body["NamePrefix"] === "string" ? body["NamePrefix"] : "";
        const found = (await rules.list()).filter(
          ({ rule }) => rule.spec.eventBusName === bus && rule.name.startsWith(prefix),
        );
        const { items, next } = pageOf(body, found, ({ rule }) => rule.name);
        return { Rules: items.map((view) => ruleShape(view, place)), ...next };
      },
    },
    ListTargetsByRule: {
      role: "read",
      async handle(body) {
        const { rule } = await control().timed.rules.get(...ruleOf(body, "Rule"));
        const { items, next } = pageOf(body, rule.spec.targets, ({ id }) => id);
        return { Targets: items.map((target) => upperMembers(target)), ...next };
      },
    },
    ListRuleNamesByTarget: {
      role: "read",
      async handle(body) {
        const [bus, arn] = [busOf(body["EventBusName"]), textOf(body["TargetArn"], "targetArn")];
        const found = (await control().timed.rules.list()).filter(
          ({ rule: { spec } }) =>
            spec.eventBusName === bus && spec.targets.some((target) => target.arn === arn),
        );
        const { items, next } = pageOf(body, found, ({ rule }) => rule.name);
        return { RuleNames: items.map(({ rule }) => rule.name), ...next };
      },
    },
    TestEventPattern: {
      role: "read",
      async handle(body) {
        const [pattern, event] = [
          textOf(body["EventPattern"], "eventPattern"),
          textOf(body["Event"], "event"),
        ];
        try {
          return { Result: testPattern(pattern, event) };
        } catch (error) {
          if (!(error instanceof MillraceError)) throw error;
          throw new ControlFault(
            "InvalidEventPatternException",
            `Event pattern is not valid. Reason: ${error.message}`,
          );
        }
      },
    },
  };
}

const CHANGE = { role: "write", isChange: true } as const;

async function nothing(done: Promise<void>): Promise<Body> {
  await done;
  return {};
}

function ruleOf(body: Body, member: string): readonly [bus: string, name: string] {
  return [busOf(body["EventBusName"]), textOf(body[member], member.toLowerCase())];
}

function textOf(value: unknown, member: string): string {
  if (typeof value === "string" && value !== "") return value;
  const message = `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`;
  throw new ControlFault("ValidationException", message);
}

function listOf(value: unknown, member: string): readonly Body[] {
  if (Array.isArray(value) && value.every((each) => typeof each === "object" && each !== null)) return value;
  const message = `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`;
  throw new ControlFault("ValidationException", message);
}

function ruleShape({ rule }: RuleView, place: Place): Body {
  const { eventBusName, state, description, scheduleExpression } = rule.spec;
  const pattern = patternText(rule.spec);
  return {
    Name: rule.name,
    Arn: ruleArn(rule, place),
    ...(pattern === undefined ? {} : { EventPattern: pattern }),
    State: state,
    ...(description === undefined ? {} : { Description: description }),
    ...(scheduleExpression === undefined ? {} : { ScheduleExpression: scheduleExpression }),
    EventBusName: eventBusName,
  };
}

function pageOf<Item>(body: Body, items: readonly Item[], nameOf: (item: Item) => string) {
  const { Limit, NextToken } = body;
  const size = typeof Limit === "number" ? Math.min(PAGE_MAX, Math.max(1, Math.trunc(Limit))) : PAGE_MAX;
  const from = typeof NextToken === "string" ? Math.max(0, Number(NextToken) || 0) : 0;
  const page = items.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).slice(from, from + size);
  return { items: page, next: from + size < items.length ? { NextToken: String(from + size) } : {} };
}
