/**
 * The bounds that make every accepted pattern cheap on every event. A pattern above one of them is refused when it is
 * created; an event above one of them is looked at up to the bound.
 */

/** Characters of a pattern's text (filters §1). */
export const PATTERN_CHARS_MAX = 4096;

/** Levels of objects and `$or` in a pattern, and steps of one dotted path. */
export const PATTERN_DEPTH_MAX = 64;

/** Rules that a pattern's `$or`s expand to: one walk over the event tests them all, a bit each. */
export const RULES_MAX = 32;

/** Tests of one field that cost more than a table look-up: automata, wildcards, ranges, address blocks. */
export const SCANS_PER_FIELD_MAX = 6;

/** Fields of one pattern that may be absent (`exists: false`): one bit each. */
export const ABSENT_FIELDS_MAX = 32;

/** How many beginnings of a field's wildcards may match one text at a time; AWS's own measure and bound. */
export const WILDCARD_COMPLEXITY_MAX = 10;

/** Arrays directly inside arrays of an event, further in than which nothing is found. */
export const EVENT_ARRAY_DEPTH_MAX = 16;

/** Look-ups that one match spends by asking small objects for each wanted key, before it goes by their own keys. */
export const DIRECT_LOOKUPS_MAX = 16_384;

/** Look-ups that one match spends on event keys with dots in them, before it reads them as plain names. */
export const DOTTED_LOOKUPS_MAX = 8_192;
