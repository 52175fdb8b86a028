/**
 * What matching has done so far in this process, in steps: one for each value, key, look-up and character that was
 * looked at. Tests compare it with the bound that was computed when the pattern was compiled; nothing else reads it.
 */
export const work = { steps: 0 };
