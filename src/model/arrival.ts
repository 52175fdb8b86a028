/** Before any of the sources was there, and long after us: what lies outside is no time of arrival. */
const KNOWN_FROM_MS = Date.UTC(2000, 0, 1);
const KNOWN_UNTIL_MS = Date.UTC(2100, 0, 1);

/**
 * An arrival time that an age may be counted from. Times are metadata that others give: absent, 0, negative, in seconds
 * or in nanoseconds instead of milliseconds, beyond any `Date`. Of such a record the age is unknown (`undefined`), and
 * nobody judges it by its age.
 */
export function knownArrivalMs(arrivalMs: number | undefined): number | undefined {
  const isKnown = arrivalMs !== undefined && arrivalMs >= KNOWN_FROM_MS && arrivalMs < KNOWN_UNTIL_MS;
  return isKnown ? arrivalMs : undefined;
}

/**
 * Milliseconds of a date that an SDK made of what a service said; `undefined` for none and for one that is not valid.
 */
export function arrivalOf(date: Date | undefined): number | undefined {
  const epochMs = date?.getTime();
  return epochMs === undefined || Number.isNaN(epochMs) ? undefined : epochMs;
}
