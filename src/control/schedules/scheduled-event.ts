import { createHash } from "node:crypto";
import { parseFunctionName } from "../../manifests/function-name.ts";
import {
  type RuleResource,
  ruleArn,
  type ScheduleResource,
  scheduleArn,
} from "../../manifests/schedule-resource.ts";
import type { RuleTarget } from "../../manifests/schedule-schema.ts";
import { type NewAsyncItem, newAttemptState } from "../../model/async-item.ts";
import { exactJsonText } from "../../model/exact-json.ts";
import { ASYNC_PAYLOAD_BYTES_MAX } from "../../model/limits.ts";
import type { Lineage } from "../../model/lineage.ts";
import type { Place } from "../../model/place.ts";
import { wallText } from "../../schedules/wall-time.ts";
import { filledTemplate, partOf } from "./event-text.ts";

/** EventBridge's envelope (invocation §14). */
export interface EventEnvelope {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** `2026-01-01T00:00:00Z` */
export function instantText(instantMs: number): string {
  return `${wallText(instantMs)}Z`;
}

/** A UUID that a text stands for: the same in every process (version 5's form, without a namespace). */
export function textUuid(text: string): string {
  const hex = createHash("sha1").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

/** What the tick of a schedule is to its function: its input, or the Scheduled Event of AWS's scheduler. */
export function scheduleInput(schedule: ScheduleResource, atMs: number, id: string, place: Place): string {
  const { input } = schedule.spec.target;
  const arn = scheduleArn(schedule, place);
  const time = instantText(atMs);
  if (input === undefined)
    return JSON.stringify({ ...envelope("aws.scheduler", id, time, arn, place), detail: "{}" });
  const words = new Map([
    ["aws.scheduler.schedule-arn", arn],
    ["aws.scheduler.scheduled-time", time],
    ["aws.scheduler.execution-id", id],
    ["aws.scheduler.attempt-number", "1"],
  ]);
  return input.replaceAll(/<(aws\.scheduler\.[a-z-]+)>/g, (text, word: string) => words.get(word) ?? text);
}

/** The event of a rule that is due. */
export function ruleEvent(rule: RuleResource, atMs: number, id: string, place: Place): EventEnvelope {
  return { ...envelope("aws.events", id, instantText(atMs), ruleArn(rule, place), place), detail: {} };
}

function envelope(source: string, id: string, time: string, arn: string, { account, region }: Place) {
  const type = { "detail-type": "Scheduled Event", source };
  return { version: "0", id, ...type, account, time, region, resources: [arn] } as const;
}

/** What a target of a rule gets of an event, as a JSON text; `undefined`: it is larger than an event may be. */
export function targetInput(
  { input, inputPath, inputTransformer }: RuleTarget,
  event: EventEnvelope,
  rule: RuleResource,
  place: Place,
): string | undefined {
  if (input !== undefined) return input;
  if (inputPath !== undefined) return exactJsonText(partOf(event, inputPath) ?? null);
  if (inputTransformer === undefined) return exactJsonText(event);
  const { inputPathsMap, inputTemplate } = inputTransformer;
  const placed = (name: string) => {
    switch (name) {
      case "aws.events.rule-arn":
        return ruleArn(rule, place);
      case "aws.events.rule-name":
        return rule.name;
      case "aws.events.event.ingestion-time":
        return event.time;
      case "aws.events.event.json":
        return event;
      case "aws.events.event":
        return { ...event, detail: undefined };
      default: {
        // A name such as `constructor` is one that all objects have.
        const path = Object.hasOwn(inputPathsMap, name) ? inputPathsMap[name] : undefined;
        return path === undefined ? undefined : partOf(event, path);
      }
    }
  };
  return filledTemplate(inputTemplate, placed, ASYNC_PAYLOAD_BYTES_MAX);
}

interface TargetedItem {
  readonly id: string;
  readonly body: string;
  /** For people: what put it. */
  readonly route: string;
  readonly nowMs: number;
  readonly lineage?: Lineage | undefined;
}

/** `undefined`: the target is no function. */
export function targetItem(
  { arn, retryPolicy, deadLetterConfig }: Pick<RuleTarget, "arn" | "retryPolicy" | "deadLetterConfig">,
  { id, body, route, nowMs, lineage }: TargetedItem,
): NewAsyncItem | undefined {
  const reference = parseFunctionName(arn);
  if (reference === undefined) return undefined;
  const { maximumRetryAttempts, maximumEventAgeInSeconds } = retryPolicy ?? {};
  const policy = {
    ...(maximumRetryAttempts === undefined ? {} : { maximumRetryAttempts }),
    ...(maximumEventAgeInSeconds === undefined ? {} : { maximumEventAgeSeconds: maximumEventAgeInSeconds }),
    ...(deadLetterConfig?.arn === undefined ? {} : { deadLetterTarget: deadLetterConfig.arn }),
  };
  return {
    id,
    kind: "invoke",
    lane: `f:${reference.name}`,
    qualifier: reference.qualifier ?? "",
    body: Buffer.from(body),
    state: {
      ...newAttemptState(nowMs),
      route,
      ...(lineage === undefined ? {} : { lineage }),
      ...(Object.keys(policy).length === 0 ? {} : { policy }),
    },
    visibleInMs: 0,
  };
}
