import { assignPartitions } from "./assignor.ts";
import { decodeSubscription, encodeAssignment } from "./consumer-protocol.ts";
import { isFault, KafkaFault } from "./fault.ts";
import { type GroupApi, GroupFault, type JoinAnswer } from "./group-api.ts";

/** Partitions of all topics that members ask for. @throws GroupFault when the cluster has ours not now. */
export async function countPartitions(
  api: GroupApi,
  topic: string,
  { members }: JoinAnswer,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const subscriptions = members.map(({ subscription }) => decodeSubscription(subscription));
  const topics = new Set(subscriptions.flatMap((subscription) => subscription.topics));
  const counts = await api.partitionCounts([...topics], signal);
  // A broker that does not know the topic yet, or has just started: nobody is to lose its partitions for that.
  if (!counts.has(topic)) throw new GroupFault("refused", `the cluster has no topic "${topic}" now`);
  return counts;
}

/**
 * Nothing answers, something else does, or it refuses: to wait for the group tells no more. The member goes on trying
 * all the same. What a broker says of its group by a code passes, for the most part, while one waits.
 */
export function isCauseKnown({ code, cause }: GroupFault): boolean {
  return code === "refused" || (cause instanceof KafkaFault && !isFault(cause, "protocol", "closed"));
}

/** What was claimed in the request was lost while it was on its way. */
export function assertSameLife(life: AbortSignal): void {
  if (life.aborted) throw new GroupFault("rebalanceInProgress", "thrown out while joining");
}

export function assignmentsOf(
  { members }: JoinAnswer,
  counts: ReadonlyMap<string, number>,
): ReadonlyMap<string, Buffer> {
  const claims = members.map(({ memberId, subscription }) => ({
    memberId,
    ...decodeSubscription(subscription),
  }));
  const assigned = assignPartitions(claims, counts);
  return new Map([...assigned].map(([memberId, partitions]) => [memberId, encodeAssignment(partitions)]));
}
