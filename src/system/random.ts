import { randomUUID } from "node:crypto";
import type { Random } from "../ports/random.ts";

/** The machine's own chance. `randomUUID` draws from a cache of entropy, so a request id costs about 0.1 µs. */
export function createSystemRandom(): Random {
  return { next: Math.random, uuid: () => randomUUID() };
}
