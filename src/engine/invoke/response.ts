import { memberText, parseExactJson } from "../../model/exact-json.ts";

/**
 * What a function's answer says about its batch (streams §5.4, §6.1). The answer is untrusted: whatever cannot be read
 * for certain fails the whole batch, never settles it.
 */
export type BatchVerdict =
  /** `stateJson`: the state exactly as the function wrote it, which numbers of JavaScript could not hold. */
  | { readonly kind: "succeeded"; readonly stateJson: string | undefined }
  /** Records with these indexes in the batch failed: at least one. */
  | { readonly kind: "partial"; readonly failed: ReadonlySet<number>; readonly stateJson: string | undefined }
  | { readonly kind: "malformed"; readonly reason: string };

export interface ResponseExpectation {
  readonly reportBatchItemFailures: boolean;
  /** A tumbling window is open: the answer must carry a `state`. */
  readonly expectsState: boolean;
  /**
   * Index of the record that an `itemIdentifier` names, whatever JSON value it is, with integers beyond 2⁵³ as `bigint`;
   * `undefined`: none of the batch.
   */
  indexOf(itemIdentifier: unknown): number | undefined;
}

const SUCCEEDED: BatchVerdict = { kind: "succeeded", stateJson: undefined };

export function readResponse(payload: Uint8Array, expectation: ResponseExpectation): BatchVerdict {
  const { reportBatchItemFailures, expectsState } = expectation;
  if (!reportBatchItemFailures && !expectsState) return SUCCEEDED;
  const parsed = parseBody(payload);
  if (parsed.kind === "malformed") return parsed;
  const { body, text } = parsed;
  let stateJson: string | undefined;
  if (expectsState) {
    stateJson = memberText(text, "state");
    if (stateJson === undefined) return malformed("the response has no `state`");
    if (isReplaced(text, payload)) return malformed("the response has a `state` and is not UTF-8");
  }
  if (!reportBatchItemFailures) return { kind: "succeeded", stateJson };
  return readItemFailures(body, stateJson, expectation);
}

function readItemFailures(
  body: unknown,
  stateJson: string | undefined,
  expectation: ResponseExpectation,
): BatchVerdict {
  const failures = failedIdentifiers(body);
  if (failures.kind === "malformed") return failures;
  if (failures.identifiers.length === 0) return { kind: "succeeded", stateJson };
  const failed = new Set<number>();
  for (const identifier of failures.identifiers) {
    const index = expectation.indexOf(identifier);
    if (index === undefined) return malformed("an `itemIdentifier` names no record of the batch");
    failed.add(index);
  }
  return { kind: "partial", failed, stateJson };
}

type Listed<Identifier> =
  | { readonly kind: "listed"; readonly identifiers: readonly Identifier[] }
  | { readonly kind: "malformed"; readonly reason: string };

const NONE_FAILED: Listed<never> = { kind: "listed", identifiers: [] };

function failedIdentifiers(body: unknown): Listed<unknown> {
  if (body === null || body === "") return NONE_FAILED;
  if (typeof body !== "object") return malformed("the response is not an object");
  if (Array.isArray(body)) return body.length === 0 ? NONE_FAILED : malformed("the response is a list");
  const failures = member(body, "batchItemFailures");
  if (failures === undefined || failures === null) return NONE_FAILED;
  if (!Array.isArray(failures)) return malformed("`batchItemFailures` is not a list");
  return {
    kind: "listed",
    identifiers: failures.map((failure: unknown) => member(failure, "itemIdentifier")),
  };
}

/**
 * What a function's answer says about a batch of messages (queues §2.3): the ids that failed, none for a success, or that the
 * answer cannot be read, which fails all. `knows` tells whether an id is in the batch.
 */
export function readFailedMessages(
  payload: Uint8Array,
  knows: (messageId: string) => boolean,
): Listed<string> {
  const parsed = parseBody(payload);
  if (parsed.kind === "malformed") return parsed;
  const failures = failedIdentifiers(parsed.body);
  if (failures.kind === "malformed") return failures;
  const identifiers = failures.identifiers.filter((identifier) => typeof identifier === "string");
  if (identifiers.length === failures.identifiers.length && identifiers.every(knows)) {
    return { kind: "listed", identifiers };
  }
  return malformed("an `itemIdentifier` names no message of the batch");
}

/** No body at all is null: what a function that returns nothing says. */
function parseBody(payload: Uint8Array) {
  if (payload.length === 0) return { kind: "parsed", body: null, text: "null" } as const;
  try {
    const text = decode(payload);
    return { kind: "parsed", body: parseExactJson(text), text } as const;
  } catch {
    return malformed("the response is not JSON");
  }
}

function malformed(reason: string) {
  return { kind: "malformed", reason } as const;
}

/** An own member of a JSON object; `undefined` for anything else, so that no prototype answers for the function. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

/** Decoding has put replacement characters in the place of bytes that are no UTF-8. */
function isReplaced(text: string, payload: Uint8Array): boolean {
  return text.includes("\uFFFD") && Buffer.compare(Buffer.from(text), payload) !== 0;
}

function decode(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
}
