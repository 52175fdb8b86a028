/** An alias sends a share of its calls to other versions than its own. */
export interface AliasRoute {
  readonly version: string;
  /** Weights of other versions; each above 0, together at most 1. */
  readonly weights: ReadonlyMap<string, number>;
}

/**
 * The version that gets the call. It follows from the request id, which is random and the same for all attempts: a
 * batch stays on its version, also over pauses, and nothing has to be remembered.
 */
export function sideOf({ version, weights }: AliasRoute, requestId: string): string {
  if (weights.size === 0) return version;
  // plant: each-attempt-draws-its-version-anew
  let rest = shareOf(requestId);
  for (const [other, weight] of weights) {
    rest -= weight;
    // plant: an-aliass-weights-are-not-heeded
    if (rest < 0) return other;
  }
  return version;
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
