import type { LeaseHolder, Tenant } from "../../leases/lease-holder.ts";
import type { Clock } from "../../ports/clock.ts";
import type { OtherShard } from "../explanation.ts";
import { epochOf } from "../invoke/attempt-notes.ts";
import type { KnownShards } from "./known-shards.ts";

/** A stream of thousands of shards shows the first. */
const SHOWN_MAX = 100;

/** Shards that this process does not work on, and that nobody does as far as it sees. */
export function explainOthers(
  shards: KnownShards,
  leases: LeaseHolder<Tenant>,
  clock: Clock,
): { readonly others: readonly OtherShard[]; readonly listed: number | undefined } {
  const epochMs = epochOf(clock);
  const others: OtherShard[] = [];
  for (const { shardId, parents, sinceMs } of shards.waiting) {
    if (others.length === SHOWN_MAX) break;
    others.push({ shardId, why: { kind: "parents", parents }, sinceMs: epochMs(sinceMs) });
  }
  for (const row of shards.ready) {
    if (others.length === SHOWN_MAX) break;
    const idleness = leases.idleness(row);
    if (idleness === undefined) continue;
    const { sinceMs, ...why } = idleness;
    const told = why.kind === "lease" ? { ...why, untilMs: epochMs(why.untilMs) } : why;
    others.push({ shardId: row.shardId, why: told, sinceMs: epochMs(sinceMs) });
  }
  return { others, listed: shards.listed };
}
