import type { SimProcess } from "../world/process.ts";
import type { Checker } from "./checker.ts";

const PARKS_MAX = 3;

interface Standing {
  /** When it was last told that something is done. */
  succeededAt: number;
  /** When it decided to park: what it parked since then. */
  decidedAt: number[];
}

/**
 * A process decides to park three keys at most without a success of the mapping's function between them. What it parks
 * it has decided on when it was told of the last attempt.
 */
export const parkingGuard: Checker = {
  id: "K10",
  title: "guard of parking",
  check({ mapping, report }) {
    const standings = new Map<SimProcess, Standing>();
    const standingOf = (process: SimProcess) => {
      const standing = standings.get(process) ?? { succeededAt: -1, decidedAt: [] };
      standings.set(process, standing);
      return standing;
    };
    const toldAt = new Map<number, number>();
    for (const event of mapping.events) {
      if (event.kind === "attemptTold") {
        const { process, toldProcessed, records } = event.attempt;
        if (toldProcessed.length > 0) standingOf(process).succeededAt = event.at;
        for (const { id } of records) toldAt.set(id, event.at);
      }
      if (event.kind !== "secured" || !event.isNew) continue;
      const standing = standingOf(event.process);
      const decidedAt = toldAt.get(event.records[0]?.id ?? -1) ?? event.at;
      const since = standing.decidedAt.filter((at) => at > standing.succeededAt || at > decidedAt);
      standing.decidedAt = decidedAt > standing.succeededAt ? [...since, decidedAt] : since;
      if (standing.decidedAt.length > PARKS_MAX)
        report(event.at, `${event.process.owner} parks ${standing.decidedAt.length} keys, and nothing works`);
    }
  },
};
