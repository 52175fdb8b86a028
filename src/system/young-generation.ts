import { setFlagsFromString } from "node:v8";

/** V8's own factor: where much survives a collection, the place for new objects grows by so much. */
const GROWTH = 2;
/** A start is over by then; where it is not, that costs memory and nothing else. */
const START_MS = 4_000;

/**
 * Keeps the place for new objects at its first size while this process starts, and lets it grow with the work from then
 * on. What is loaded stays, which V8 takes for a sign that much is needed: without this an idle process holds some 25
 * MiB that it never uses again.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setTimeout(() => setFlagsFromString(`--semi-space-growth-factor=${GROWTH}`), START_MS).unref();
}
