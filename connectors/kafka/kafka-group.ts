import { MillraceError } from "../../src/model/errors.ts";
import type { RequestOptions } from "./broker-link.ts";
import type { KafkaCluster, Lane } from "./cluster.ts";
import { hasProtocolCode, isAddressFault, isFault, KafkaFault } from "./fault.ts";
import {
  type GroupApi,
  GroupFault,
  type GroupFaultCode,
  type GroupIdentity,
  type JoinAnswer,
  type JoinRequest,
  type OffsetCommit,
} from "./group-api.ts";
import { GroupProgress, type GroupProgressOptions } from "./group-progress.ts";
import { PROCESS_CLOCK, PROCESS_RANDOM } from "./process-time.ts";
import type { KafkaRequests } from "./requests.ts";

export interface KafkaGroupOptions {
  readonly cluster: KafkaCluster;
  readonly groupId: string;
  readonly topic: string;
}

/** Progress of one mapping in a group of its cluster. Closing it leaves the group; the cluster stays open. */
export function createGroupProgress(
  options: KafkaGroupOptions & Pick<GroupProgressOptions, "offsetOf" | "partingOf">,
): GroupProgress {
  const { cluster, ...rest } = options;
  const api = new KafkaGroup(options);
  return new GroupProgress({ ...rest, api, clock: PROCESS_CLOCK, random: PROCESS_RANDOM });
}

/** What Kafka's own consumers say; tools and brokers read their bytes. */
const PROTOCOL_TYPE = "consumer";
/** The coordinator is another broker, or not ready to be one. The request did nothing. */
const MOVED = ["NOT_COORDINATOR_FOR_GROUP", "GROUP_COORDINATOR_NOT_AVAILABLE", "GROUP_LOAD_IN_PROGRESS"];
const CODES: Readonly<Record<string, GroupFaultCode>> = {
  REBALANCE_IN_PROGRESS: "rebalanceInProgress",
  UNKNOWN_MEMBER_ID: "unknownMember",
  ILLEGAL_GENERATION: "illegalGeneration",
  MEMBER_ID_REQUIRED: "memberIdRequired",
  OFFSET_METADATA_TOO_LARGE: "metadataTooLarge",
  INCONSISTENT_GROUP_PROTOCOL: "refused",
  INVALID_SESSION_TIMEOUT: "refused",
  INVALID_GROUP_ID: "refused",
  GROUP_MAX_SIZE_REACHED: "refused",
};
const REMEDIES: Readonly<Record<string, string>> = {
  INCONSISTENT_GROUP_PROTOCOL:
    "Other members of the consumer group divide their partitions by another protocol. Give the mapping a consumer group of its own, or let them use the assignor cooperative-sticky.",
  INVALID_SESSION_TIMEOUT:
    "The broker's group.min.session.timeout.ms or group.max.session.timeout.ms leaves no room for a session of 15 seconds.",
  GROUP_MAX_SIZE_REACHED: "The broker's group.max.size lets no more processes into the consumer group.",
};
const HEARTBEAT_TIMEOUT_MS = 5_000;

/** A consumer group of a cluster. Joins and syncs have a connection of their own: they wait at the broker. */
export class KafkaGroup implements GroupApi {
  readonly #options: KafkaGroupOptions;
  /** Aborts when the coordinator is found to be another: nothing that still waits at the old one will be answered. */
  #present = new AbortController();

  constructor(options: KafkaGroupOptions) {
    this.#options = options;
  }

  async join(request: JoinRequest, signal: AbortSignal): Promise<JoinAnswer> {
    const { memberId, sessionTimeoutMs, rebalanceTimeoutMs, protocolName, subscription } = request;
    const answer = await this.#ask(
      "join",
      "JoinGroup",
      {
        groupId: this.#options.groupId,
        memberId,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: rebalanceTimeoutMs,
        protocolType: PROTOCOL_TYPE,
        groupProtocols: [{ name: protocolName, metadata: subscription }],
      },
      signal,
    );
    return {
      memberId: answer.memberId,
      generation: answer.generationId,
      leaderId: answer.leaderId,
      members: answer.members.map((member) => ({
        memberId: member.memberId,
        subscription: member.memberMetadata,
      })),
    };
  }

  async sync(
    member: GroupIdentity,
    assignments: ReadonlyMap<string, Buffer>,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const answer = await this.#ask(
      "join",
      "SyncGroup",
      {
        groupId: this.#options.groupId,
        memberId: member.memberId,
        generationId: member.generation,
        groupAssignment: [...assignments].map(([memberId, memberAssignment]) => ({
          memberId,
          memberAssignment,
        })),
      },
      signal,
    );
    return answer.memberAssignment;
  }

  async heartbeat({ memberId, generation }: GroupIdentity, signal: AbortSignal): Promise<void> {
    const { groupId } = this.#options;
    const args = { groupId, memberId, groupGenerationId: generation };
    await this.#ask("group", "Heartbeat", args, signal, { timeoutMs: HEARTBEAT_TIMEOUT_MS });
  }

  async leave(memberId: string, signal: AbortSignal): Promise<void> {
    await this.#ask("group", "LeaveGroup", { groupId: this.#options.groupId, memberId }, signal);
  }

  async commit(
    member: GroupIdentity,
    commits: readonly OffsetCommit[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<number>> {
    const { groupId, topic } = this.#options;
    const partitions = commits.map((commit) => ({ ...commit, offset: String(commit.offset) }));
    const { memberId, generation } = member;
    const args = { groupId, memberId, groupGenerationId: generation, topics: [{ topic, partitions }] };
    const { responses } = await this.#ask("group", "OffsetCommit", args, signal, { toleratesAbsent: true });
    const answers = responses.flatMap((response) => response.partitions);
    return new Set(answers.filter(({ errorCode }) => errorCode !== 0).map(({ partition }) => partition));
  }

  async committed(
    partitions: readonly number[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, OffsetCommit>> {
    const { groupId, topic } = this.#options;
    const asked = partitions.map((partition) => ({ partition }));
    const args = { groupId, topics: [{ topic, partitions: asked }] };
    const { responses } = await this.#ask("group", "OffsetFetch", args, signal);
    const found = responses
      .flatMap((response) => response.partitions)
      .map(({ leaderEpoch = -1, offset, ...rest }) => ({ ...rest, offset: Number(offset), leaderEpoch }))
      .filter(({ offset }) => offset >= 0);
    return new Map(found.map((commit) => [commit.partition, commit]));
  }

  async partitionCounts(
    topics: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    const { cluster } = this.#options;
    const counts = new Map<string, number>();
    for (const topic of topics) {
      try {
        counts.set(topic, (await cluster.topic(topic, signal)).length);
      } catch (error) {
        // Other members may subscribe to topics that are not there, or that only they may see.
        if (!isFault(error, "notFound", "authorization")) throw groupFaultOf(error);
      }
    }
    return counts;
  }

  /** One attempt at the coordinator, and a second one at the next when it is said to be another. */
  async #ask<Name extends keyof KafkaRequests>(
    lane: Lane,
    name: Name,
    args: KafkaRequests[Name]["args"],
    signal: AbortSignal,
    more: Pick<RequestOptions, "timeoutMs" | "toleratesAbsent"> = {},
  ): Promise<KafkaRequests[Name]["answer"]> {
    const { cluster, groupId } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const present = this.#present;
      try {
        const node = await cluster.coordinator(groupId, signal);
        const either = AbortSignal.any([signal, present.signal]);
        const link = await cluster.broker(node, lane, either);
        return await link.request(name, args, { signal: either, ...more });
      } catch (error) {
        const isMoved = hasProtocolCode(error, ...MOVED);
        if (isMoved || isAddressFault(error)) this.#forgetCoordinator(present);
        if (isMoved && attempt === 1) continue;
        if (present.signal.aborted && !signal.aborted && !(error instanceof KafkaFault)) {
          throw new GroupFault("unavailable", "the group's coordinator has moved");
        }
        throw groupFaultOf(error);
      }
    }
  }

  #forgetCoordinator(present: AbortController): void {
    if (present !== this.#present) return;
    this.#present = new AbortController();
    this.#options.cluster.forgetCoordinator(this.#options.groupId);
    present.abort();
  }
}

function groupFaultOf(error: unknown): unknown {
  if (error instanceof MillraceError && error.code === "ERR_MILLRACE_ABORTED") return error;
  if (!(error instanceof KafkaFault)) {
    return new GroupFault("unavailable", error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  const { protocolCode = "", memberId } = error;
  const isRefused = isFault(error, "authorization", "authentication", "tls", "unsupported");
  const code = CODES[protocolCode] ?? (isRefused ? "refused" : "unavailable");
  const remedy = REMEDIES[protocolCode];
  const message = remedy === undefined ? error.message : `${error.message} ${remedy}`;
  return new GroupFault(code, message, { cause: error, ...(memberId === undefined ? {} : { memberId }) });
}
