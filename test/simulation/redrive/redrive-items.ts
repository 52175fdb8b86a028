import type { RedriveItem } from "../../../src/model/redrive.ts";
import type { SeededRandom } from "../random.ts";

/** Items of a selection, in the order in which they were read first. */
export function itemsOf(random: SeededRandom): readonly RedriveItem[] {
  const keys = random.int(1, 8);
  return Array.from({ length: random.int(10, 120) }, (_, index) => {
    const key = random.chance(0.15) ? undefined : `k${random.int(0, keys)}`;
    const id = `i${index}`;
    const isGone = random.chance(0.02);
    return {
      id,
      failureId: `f${index}`,
      itemId: id,
      shardId: index < 30 ? "parent" : "child",
      position: String(index),
      key,
      arrivalMs: undefined,
      element: isGone ? undefined : Buffer.from(JSON.stringify(id)),
    };
  });
}
