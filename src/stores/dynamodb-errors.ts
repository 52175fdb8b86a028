import {
  type AttributeValue,
  ConditionalCheckFailedException,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import { type AwsFault, awsFaultOf, memberOf } from "../aws/fault.ts";
import { remedyOf } from "../aws/fault-text.ts";
import { MillraceError } from "../model/errors.ts";

/** What is called, for messages. */
export interface TableAction {
  readonly table: string;
  /** The IAM action: `dynamodb:UpdateItem` */
  readonly action: string;
}

/**
 * What the service or the network said, as an error of the catalogue. The service's own texts are judged, not shown.
 */
export function dynamodbError(called: TableAction, error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const { table, action } = called;
  const known = awsFaultOf(error);
  const fault = isRefusedForNow(error) ? { ...known, fault: "throttled" as const } : known;
  return new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    `The store dynamodb:${table} could not be used: ${action} failed (${fault.reason}). ${storeRemedy(fault, called)} ` +
      "It is tried again while millrace runs.",
    { cause: error, fault: fault.fault },
  );
}

function storeRemedy(fault: AwsFault, { table, action }: TableAction): string {
  if (fault.fault === "notFound") return `Start millrace anew, which makes the table ${table}.`;
  if (fault.fault === "throttled") return "Raise the table's capacity if this goes on.";
  if (fault.fault === "denied" && action === "dynamodb:CreateTable") {
    return `Allow dynamodb:CreateTable, or create the table ${table} with the keys that deploy/aws-permissions.md names.`;
  }
  // The SDK has no name of its own for it.
  if (fault.code === "Error" && fault.status === undefined) return "Set AWS_REGION, if it is not set.";
  const endpointVariable = "AWS_ENDPOINT_URL_DYNAMODB";
  return remedyOf(fault, { action, resource: `the table ${table}`, endpointVariable });
}

export function noAnswer({ table, action }: TableAction, answerMs: number): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    `The store dynamodb:${table} could not be used: ${action} did not answer within ${answerMs} ms. Check the network ` +
      "and the endpoint; it is tried again while millrace runs.",
  );
}

export function closedStore(table: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    `The store dynamodb:${table} is closed. Open it again.`,
  );
}

export function busyStore(table: string, what: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    `The store dynamodb:${table} could not be used: ${what}. If this goes on, stop millrace and restore the table.`,
  );
}

export function corruptStore(table: string, what: string, remedy: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_STORE_CORRUPT", `The store dynamodb:${table} ${what}. ${remedy}.`);
}

/** The service did nothing of what was asked, and may do it a moment later. */
export function isRefusedForNow(error: unknown): boolean {
  const reasons = cancellationCodes(error);
  if (reasons.length === 0) return FOR_NOW.test(nameOf(error));
  return reasons.every((code) => code === "None" || FOR_NOW.test(code));
}

/** The condition of a write did not hold; of a transaction, that of its first item. */
export function isConditionFailure(error: unknown): boolean {
  return (
    nameOf(error) === "ConditionalCheckFailedException" ||
    cancellationCodes(error)[0] === "ConditionalCheckFailed"
  );
}

export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "an unknown error";
}

const FOR_NOW =
  /^(Throttling|ThrottlingException|ThrottlingError|ProvisionedThroughputExceeded|ProvisionedThroughputExceededException|RequestLimitExceeded|TransactionConflict|TransactionConflictException|LimitExceededException)$/;

function cancellationCodes(error: unknown): readonly string[] {
  const reasons = memberOf(error, "CancellationReasons");
  if (!Array.isArray(reasons)) return [];
  return reasons.map((reason: unknown) => String(memberOf(reason, "Code") ?? "None"));
}

/**
 * The items of a transaction whose conditions did not hold, so that it did nothing, and what stood there if that was
 * asked for.
 */
export function failedConditions(error: unknown): readonly FailedCondition[] {
  if (!(error instanceof TransactionCanceledException)) return [];
  return (error.CancellationReasons ?? []).flatMap(({ Code, Item }, index) =>
    Code === "ConditionalCheckFailed" ? [{ index, item: Item }] : [],
  );
}

export interface FailedCondition {
  readonly index: number;
  readonly item: Readonly<Record<string, AttributeValue>> | undefined;
}

/** What stood in the item whose condition did not hold, when that was asked for. */
export function conditionItem(error: unknown): Readonly<Record<string, AttributeValue>> | undefined {
  if (error instanceof ConditionalCheckFailedException) return error.Item;
  return error instanceof TransactionCanceledException ? error.CancellationReasons?.[0]?.Item : undefined;
}
