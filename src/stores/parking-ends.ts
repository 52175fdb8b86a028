import type { ItemEnd } from "../ports/parking-store.ts";
import type { ParkingWork } from "./parking-database.ts";
import type { ParkingStatements } from "./parking-statements.ts";

/** Ends of items, those alike in one statement, and what they hold back. */
export function* endItems(sql: ParkingStatements, kind: string, ends: readonly ItemEnd[]): ParkingWork<void> {
  const alike = Map.groupBy(ends, ({ state, error, attempt }) =>
    JSON.stringify([state, error ?? null, attempt]),
  );
  for (const [first, ...more] of alike.values()) {
    if (first === undefined) continue;
    const seqs = JSON.stringify([first, ...more].map(({ seq }) => seq));
    const error = first.error === undefined ? null : JSON.stringify(first.error);
    yield { sql: sql.end, values: [kind, seqs, first.state, error, first.attempt] };
    if (first.state === "waiting") yield { sql: sql.passOver, values: [kind, seqs, first.attempt] };
  }
  const seqs = ends.filter(({ state }) => state !== "done").map(({ seq }) => seq);
  if (seqs.length > 0) yield { sql: sql.holdBehind, values: [kind, JSON.stringify(seqs)] };
}
