/**
 * What a member asks of a consumer group's coordinator and of the cluster: one attempt for each call, within a time-out
 * of its own. Calls find the coordinator anew after it moved. They reject with a `GroupFault`, or with
 * `ERR_MILLRACE_ABORTED` when `signal` aborts.
 */
export interface GroupApi {
  /** Resolves when all members have joined, or the broker has given up on those that did not. */
  join(request: JoinRequest, signal: AbortSignal): Promise<JoinAnswer>;
  /** The leader brings everyone's assignment, the others an empty map; all get their own. */
  sync(member: GroupIdentity, assignments: ReadonlyMap<string, Buffer>, signal: AbortSignal): Promise<Buffer>;
  /** A join that waits does not hold up this call, nor `commit`: they go over other connections. */
  heartbeat(member: GroupIdentity, signal: AbortSignal): Promise<void>;
  leave(memberId: string, signal: AbortSignal): Promise<void>;
  /** All or none, but for partitions that are not there now: resolves to those, of which nothing was stored. */
  commit(
    member: GroupIdentity,
    commits: readonly OffsetCommit[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<number>>;
  /** What is committed of the group's own topic; partitions without a commit are left out. */
  committed(partitions: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, OffsetCommit>>;
  /** How many partitions topics have now; those that are not there are left out. */
  partitionCounts(topics: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
}

export interface GroupIdentity {
  readonly memberId: string;
  readonly generation: number;
}

export interface JoinRequest {
  /** Empty: a new member. */
  readonly memberId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolName: string;
  readonly subscription: Buffer;
}

export interface JoinAnswer extends GroupIdentity {
  readonly leaderId: string;
  /** All members for the leader; empty for the others. */
  readonly members: readonly { readonly memberId: string; readonly subscription: Buffer }[];
}

export interface OffsetCommit {
  readonly partition: number;
  /** The next record to read. */
  readonly offset: number;
  /** The epoch of the record before it; −1: not known. */
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

/** What a member has to tell apart. */
export type GroupFaultCode =
  /** The group is being divided anew: join again. The member and its generation are known. */
  | "rebalanceInProgress"
  /** The broker has thrown the member out; what it had may be another's already. */
  | "unknownMember"
  /** The group has gone on without this member's knowledge, or an answer to it was lost. */
  | "illegalGeneration"
  /** A new member gets its id first: join again with `memberId`. */
  | "memberIdRequired"
  /** The broker's bound on commit metadata is below ours. */
  | "metadataTooLarge"
  /** The broker will say the same again: not authorised, another protocol, a time-out out of its bounds. */
  | "refused"
  /** No answer, or the coordinator moves or loads: whether the request took effect is unknown. */
  | "unavailable";

export class GroupFault extends Error {
  readonly code: GroupFaultCode;
  /** With `memberIdRequired`. */
  readonly memberId: string | undefined;

  constructor(
    code: GroupFaultCode,
    message: string,
    options: { readonly cause?: unknown; readonly memberId?: string } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "GroupFault";
    this.code = code;
    this.memberId = options.memberId;
  }
}

export function isGroupFault(error: unknown, ...codes: readonly GroupFaultCode[]): error is GroupFault {
  return error instanceof GroupFault && codes.includes(error.code);
}
