import { elementTexts } from "../model/exact-json.ts";
import { isJson } from "../model/json-check.ts";
import { BATCH_SIZE_MAX } from "../model/limits.ts";

/** What an enrichment has made of a batch (queues §3). */
export type EnrichedAnswer =
  /** Elements as JSON texts: more or fewer than went in, and at least one. */
  | { readonly kind: "batch"; readonly elements: readonly string[] }
  /** The function is not to be called. */
  | { readonly kind: "nothing" }
  /** `reason`: for people, without a word of the answer. */
  | { readonly kind: "malformed"; readonly reason: string };

/**
 * A list replaces the batch; any other value is a batch of one. `""`, `{}` and `[]` leave nothing. What forgets to
 * answer, and returns null, says nothing: its records must not be gone for that (decision 0050).
 */
export function readEnrichedAnswer(payload: Uint8Array): EnrichedAnswer {
  if (payload.length === 0 || !isJson(payload)) return malformed("the enrichment's answer is not JSON");
  const text = new TextDecoder().decode(payload).trim();
  if (text === "null") return malformed("the enrichment returned null, which says nothing of its records");
  if (/^(?:""|\{\s*\}|\[\s*\])$/.test(text)) return { kind: "nothing" };
  if (!text.startsWith("[")) return { kind: "batch", elements: [text] };
  const elements: string[] = [];
  for (const element of elementTexts(text)) {
    if (elements.length >= BATCH_SIZE_MAX)
      return malformed(`the enrichment returned more than ${BATCH_SIZE_MAX} records`);
    elements.push(element);
  }
  return { kind: "batch", elements };
}

function malformed(reason: string): EnrichedAnswer {
  return { kind: "malformed", reason };
}
