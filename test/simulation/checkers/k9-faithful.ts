import type { Checker } from "./checker.ts";

/**
 * Of a key each record is parked once, and in the order of its shard: what is read again is not put again, and what a
 * zombie had in hand does not come behind what its heir has put.
 */
export const faithfulParking: Checker = {
  id: "K9",
  title: "faithful parking",
  check({ mapping, report }) {
    const reached = new Map<string, number>();
    for (const event of mapping.events) {
      if (event.kind !== "secured") continue;
      for (const { shard, index, position } of event.records) {
        const place = `${shard.ordinal} ${event.key}`;
        if (index <= (reached.get(place) ?? -1)) {
          report(event.at, `${position} of ${event.key} is parked again, or behind a later one`);
          return;
        }
        reached.set(place, index);
      }
    }
  },
};
