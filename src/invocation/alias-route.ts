import { KeySplit } from "../model/key-split.ts";
import type { Invocation } from "../ports/invoker.ts";

/** An alias sends a share of its calls to other versions than its own. */
export interface AliasRoute {
  readonly version: string;
  /** Weights of other versions; each above 0, together at most 1. */
  readonly weights: ReadonlyMap<string, number>;
  /** Whatever calls know of keys, their request ids say where they go. */
  readonly routing?: "request" | undefined;
  /** Its own, for as long as it lives: other aliases have other keys on their sides. */
  readonly salt?: string | undefined;
}

/** How the keys of an alias are dealt out; `undefined`: they are not, it has one version, or goes by request ids. */
export function splitOf({ weights, routing, salt = "" }: AliasRoute): KeySplit | undefined {
  return weights.size === 0 || routing === "request" ? undefined : new KeySplit(weights, salt);
}

/** What of a call says which version it goes to. */
export type RoutedCall = Pick<Invocation, "requestId" | "routingKey" | "routingPlace">;

/**
 * The version that gets the call. It follows from the key of its records, or from the request id, which is random and
 * the same for all attempts: nothing has to be remembered.
 */
export function sideOf(
  { version, weights }: AliasRoute,
  call: RoutedCall,
  split: KeySplit | undefined,
): string {
  if (weights.size === 0) return version;
  // plant: each-attempt-draws-its-version-anew
  let rest = placeOf(call, split);
  for (const [other, weight] of weights) {
    rest -= weight;
    // plant: an-aliass-weights-are-not-heeded
    if (rest < 0) return other;
  }
  return version;
}

function placeOf({ requestId, routingKey, routingPlace }: RoutedCall, split: KeySplit | undefined): number {
  if (split === undefined) return shareOf(requestId);
  // plant: a-batch-of-one-side-goes-by-its-request-id
  if (routingPlace !== undefined) return routingPlace;
  return routingKey === undefined ? shareOf(requestId) : split.placeOf(routingKey);
}

/** 0 to below 1, even over random ids: their first 32 bits. FNV-1a serves ids of other forms. */
export function shareOf(requestId: string): number {
  const head = requestId.slice(0, 8);
  if (/^[0-9a-f]{8}$/.test(head)) return Number.parseInt(head, 16) / 2 ** 32;
  let hash = 0x811c9dc5;
  for (let index = 0; index < requestId.length; index++) {
    hash = Math.imul(hash ^ requestId.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32;
}
