import { isObject, type JsonObject, memberOf, textMember } from "./event-elements.ts";
import type { FailureCondition } from "./failure-record.ts";

/** What the document of a failure says of it, whoever wrote it (streams §5.7, kafka §5). */
export interface FailureSummary {
  readonly condition: FailureCondition;
  readonly atMs: number;
  /** `undefined`: it names none, as of an event that is beside it. */
  readonly shardId: string | undefined;
  readonly count: number;
}

/** `undefined`: it is no such document. */
export function summaryOf(document: JsonObject): FailureSummary | undefined {
  const condition = conditionOf(textMember(memberOf(document, "requestContext"), "condition"));
  const atMs = Date.parse(textMember(document, "timestamp") ?? "");
  const [, info] = Object.entries(document).find(([name]) => name.endsWith("BatchInfo")) ?? [];
  if (condition === undefined || Number.isNaN(atMs) || !isObject(info)) return undefined;
  const records = memberOf(info, "recordsInfo");
  const count = Number(memberOf(info, "batchSize") ?? 0);
  const shardId = textMember(info, "shardId") ?? (isObject(records) ? Object.keys(records)[0] : undefined);
  return { condition, atMs, shardId, count };
}

function conditionOf(text: string | undefined): FailureCondition | undefined {
  switch (text) {
    case "RetryAttemptsExhausted":
    case "RecordAgeExceeded":
    case "MaximumPayloadSizeExceeded":
      return text;
    case "RetriesExhausted":
      return "RetryAttemptsExhausted";
    default:
      return undefined;
  }
}
