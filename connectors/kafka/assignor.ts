import type { PartitionsByTopic, Subscription } from "./consumer-protocol.ts";

export interface GroupMemberClaim extends Subscription {
  readonly memberId: string;
}

/**
 * Divides the partitions of each topic evenly over the members that subscribe to it, and moves as few as that takes. A
 * partition that is to move is given to nobody as long as a member still has it: its owner sees that it has lost it,
 * finishes, gives it back and joins again, and the next assignment gives it away (KIP-429). So no partition ever has
 * two owners, and whoever keeps its partitions goes on working meanwhile.
 *
 * Deterministic: the same members give the same assignment, in whatever order they come.
 */
export function assignPartitions(
  members: readonly GroupMemberClaim[],
  partitionCounts: ReadonlyMap<string, number>,
): ReadonlyMap<string, PartitionsByTopic> {
  const assigned = new Map(members.map(({ memberId }) => [memberId, new Map<string, readonly number[]>()]));
  const topics = new Set(members.flatMap((member) => member.topics));
  for (const topic of [...topics].sort()) {
    const subscribers = members.filter((member) => member.topics.includes(topic));
    const shares = assignTopic(topic, partitionCounts.get(topic) ?? 0, subscribers, members);
    for (const [memberId, partitions] of shares) assigned.get(memberId)?.set(topic, partitions);
  }
  return assigned;
}

function assignTopic(
  topic: string,
  count: number,
  subscribers: readonly GroupMemberClaim[],
  members: readonly GroupMemberClaim[],
): ReadonlyMap<string, readonly number[]> {
  const claims = claimsOf(topic, count, members);
  const kept = new Map(subscribers.map(({ memberId }) => [memberId, [] as number[]]));
  for (const [partition, { owner }] of claims) if (owner !== undefined) kept.get(owner)?.push(partition);
  const target = balance(count, kept);
  return new Map(
    [...target].map(([memberId, partitions]) => [
      memberId,
      partitions.filter((partition) => mayHave(memberId, claims.get(partition))),
    ]),
  );
}

interface PartitionClaims {
  /** Who has the partition; `undefined`: several members of the same generation say so, and all must let go of it. */
  readonly owner: string | undefined;
  readonly claimants: readonly string[];
}

function mayHave(memberId: string, claims: PartitionClaims | undefined): boolean {
  return claims === undefined || claims.owner === memberId || claims.claimants.length === 0;
}

/**
 * A member that has been in the group all the time tells the truth about what it has. Only after a broker lost part of
 * the group's history may two claim a partition: then the newer assignment counts.
 */
function claimsOf(
  topic: string,
  count: number,
  members: readonly GroupMemberClaim[],
): ReadonlyMap<number, PartitionClaims> {
  const claims = new Map<number, { owner: string | undefined; generation: number; claimants: string[] }>();
  for (const { memberId, owned, generation } of members) {
    for (const partition of new Set(owned.get(topic) ?? [])) {
      if (partition < 0 || partition >= count) continue;
      const known = claims.get(partition);
      if (known === undefined) {
        claims.set(partition, { owner: memberId, generation, claimants: [memberId] });
        continue;
      }
      known.claimants.push(memberId);
      if (generation > known.generation) Object.assign(known, { owner: memberId, generation });
      else if (generation === known.generation) known.owner = undefined;
    }
  }
  return claims;
}

/** Everyone keeps what it has up to its share; what is over, and what nobody has, goes to those that are short. */
function balance(count: number, kept: ReadonlyMap<string, readonly number[]>): Map<string, number[]> {
  const shareMin = Math.floor(count / kept.size);
  // Those that have most get the shares that are larger by one: fewer partitions move.
  const byLoad = [...kept].sort(
    ([aId, a], [bId, b]) => b.length - a.length || (aId < bId ? -1 : Number(aId > bId)),
  );
  const target = new Map<string, number[]>();
  const free = new Set(Array.from({ length: count }, (_, partition) => partition));
  for (const [index, [memberId, partitions]] of byLoad.entries()) {
    const share = shareMin + (index < count % kept.size ? 1 : 0);
    const stays = [...partitions].sort((a, b) => a - b).slice(0, share);
    for (const partition of stays) free.delete(partition);
    target.set(memberId, stays);
  }
  const pool = [...free].values();
  for (const [index, [memberId]] of byLoad.entries()) {
    const share = shareMin + (index < count % kept.size ? 1 : 0);
    const partitions = target.get(memberId) ?? [];
    while (partitions.length < share) {
      const next = pool.next();
      if (next.done === true) break;
      partitions.push(next.value);
    }
    partitions.sort((a, b) => a - b);
  }
  return target;
}
