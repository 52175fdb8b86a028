import { elementTexts, memberText, parseExactJson } from "../../model/exact-json.ts";
import { isJson } from "../../model/json-check.ts";
import { skipSpace } from "../../model/json-scan.ts";

/**
 * What a function's answer says about its batch (streams §5.4, §6.1). The answer is untrusted: whatever cannot be read
 * for certain fails the whole batch, never settles it. It is looked at and not made into values: six megabytes of
 * brackets would hold the process for seconds.
 */
export type BatchVerdict =
  /** `stateJson`: the state exactly as the function wrote it, which numbers of JavaScript could not hold. */
  | { readonly kind: "succeeded"; readonly stateJson: string | undefined }
  /** Records with these indexes in the batch failed: at least one. */
  | { readonly kind: "partial"; readonly failed: ReadonlySet<number>; readonly stateJson: string | undefined }
  | Malformed;

export interface ResponseExpectation {
  readonly reportBatchItemFailures: boolean;
  /** A tumbling window is open: the answer must carry a `state`. */
  readonly expectsState: boolean;
  /**
   * Index of the record that an `itemIdentifier` names, whatever JSON value it is, with integers beyond 2⁵³ as
   * `bigint`; `undefined`: none of the batch.
   */
  indexOf(itemIdentifier: unknown): number | undefined;
}

const SUCCEEDED: BatchVerdict = { kind: "succeeded", stateJson: undefined };

export function readResponse(payload: Uint8Array, expectation: ResponseExpectation): BatchVerdict {
  const { reportBatchItemFailures, expectsState } = expectation;
  if (!reportBatchItemFailures && !expectsState) return SUCCEEDED;
  const parsed = parseBody(payload);
  if (parsed.kind === "malformed") return parsed;
  const { text } = parsed;
  let stateJson: string | undefined;
  if (expectsState) {
    // plant: a-windows-state-passes-through-javascripts-numbers
    stateJson = memberText(text, "state");
    if (stateJson === undefined) return malformed("the response has no `state`", true);
    if (isReplaced(text, payload)) return malformed("the response has a `state` and is not UTF-8", true);
  }
  if (!reportBatchItemFailures) return { kind: "succeeded", stateJson };
  return readItemFailures(text, stateJson, expectation);
}

function readItemFailures(
  text: string,
  stateJson: string | undefined,
  expectation: ResponseExpectation,
): BatchVerdict {
  const failures = failedItems(text);
  if (failures.kind === "malformed") return failures;
  const failed = new Set<number>();
  for (const identifier of identifiersOf(failures.items)) {
    const index = expectation.indexOf(identifier);
    // plant: a-response-that-names-unknown-records-is-taken-for-success
    if (index === undefined) return malformed("an `itemIdentifier` names no record of the batch");
    failed.add(index);
  }
  return failed.size === 0 ? { kind: "succeeded", stateJson } : { kind: "partial", failed, stateJson };
}

/** `isOfState`: its `state` is at fault. */
type Malformed = { readonly kind: "malformed"; readonly reason: string; readonly isOfState: boolean };

/** `items`: the list `batchItemFailures` as JSON. */
function failedItems(text: string): { readonly kind: "listed"; readonly items: string } | Malformed {
  const body = text.trim();
  const none = { kind: "listed", items: "[]" } as const;
  if (body === "null" || body === '""') return none;
  if (body.startsWith("[")) return isEmptyList(body) ? none : malformed("the response is a list");
  if (!body.startsWith("{")) return malformed("the response is not an object");
  const items = memberText(body, "batchItemFailures");
  if (items === undefined || items === "null") return none;
  return items.startsWith("[") ? { kind: "listed", items } : malformed("`batchItemFailures` is not a list");
}

function isEmptyList(body: string): boolean {
  return body[skipSpace(body, 1)] === "]";
}

/** No identifier of a record is longer. */
const IDENTIFIER_CHARS_MAX = 1_024;
/** How many different items are listed; a batch has at most 10,000 records. */
const ITEMS_MAX = 20_000;

/** In their order, those that are said twice once; `undefined`: an item that names nothing. */
function* identifiersOf(items: string): Generator<unknown> {
  const seen = new Set<string>();
  for (const item of elementTexts(items)) {
    if (seen.has(item)) continue;
    seen.add(item);
    const identifier = memberText(item, "itemIdentifier");
    const isReadable = identifier !== undefined && identifier.length <= IDENTIFIER_CHARS_MAX;
    yield isReadable && seen.size <= ITEMS_MAX ? parseExactJson(identifier) : undefined;
  }
}

/**
 * What a function's answer says about a batch of messages (queues §2.3): the ids that failed, none for a success, or
 * that the answer cannot be read, which fails all. `knows` tells whether an id is in the batch.
 */
export function readFailedMessages(
  payload: Uint8Array,
  knows: (messageId: string) => boolean,
): { readonly kind: "listed"; readonly identifiers: readonly string[] } | Malformed {
  const parsed = parseBody(payload);
  if (parsed.kind === "malformed") return parsed;
  const failures = failedItems(parsed.text);
  if (failures.kind === "malformed") return failures;
  const identifiers: string[] = [];
  for (const identifier of identifiersOf(failures.items)) {
    // plant: a-response-that-names-unknown-messages-is-taken-for-success
    if (typeof identifier !== "string" || !knows(identifier)) {
      return malformed("an `itemIdentifier` names no message of the batch");
    }
    identifiers.push(identifier);
  }
  return { kind: "listed", identifiers };
}

/** No body at all is null: what a function that returns nothing says. */
function parseBody(payload: Uint8Array): { readonly kind: "parsed"; readonly text: string } | Malformed {
  if (payload.length === 0) return { kind: "parsed", text: "null" };
  // plant: a-response-that-is-not-json-stops-the-engine
  // plant: a-response-that-is-not-json-is-taken-for-success
  if (!isJson(payload)) return malformed("the response is not JSON");
  return { kind: "parsed", text: decode(payload) };
}

function malformed(reason: string, isOfState = false): Malformed {
  return { kind: "malformed", reason, isOfState };
}

/** Decoding has put replacement characters in the place of bytes that are no UTF-8. */
function isReplaced(text: string, payload: Uint8Array): boolean {
  return text.includes("\uFFFD") && Buffer.compare(Buffer.from(text), payload) !== 0;
}

function decode(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
}
