/** Epoch milliseconds of a `startingPositionTimestamp`: seconds since 1970, as AWS writes them, or an ISO 8601 time. */
export function epochMsOf(timestamp: string | number): number {
  return typeof timestamp === "number" ? Math.round(timestamp * 1000) : Date.parse(timestamp);
}
