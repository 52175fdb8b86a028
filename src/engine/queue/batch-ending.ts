import { type HeldMessage, isHeldAt } from "./held-message.ts";

/** What becomes of the messages of a batch (queues §2.2, §2.3). */
export interface BatchEnding {
  /** Off the queue. */
  readonly acknowledge: readonly HeldMessage[];
  /** Left alone: they come again when their hold ends. */
  readonly leave: readonly HeldMessage[];
  /** Given back: they did nothing wrong, and wait behind what did, or for a function that can be reached. */
  readonly release: readonly HeldMessage[];
  /** How long those stay hidden yet. */
  readonly releaseAfterMs: number;
  /** Others of the batch are being taken off the queue already; its groups are held until that has ended. */
  readonly acknowledging?: Promise<unknown>;
}

export function acknowledged(batch: readonly HeldMessage[]): BatchEnding {
  return { acknowledge: batch, leave: [], release: [], releaseAfterMs: 0 };
}

export function left(batch: readonly HeldMessage[]): BatchEnding {
  // plant: messages-of-a-failed-batch-are-acknowledged
  return { acknowledge: [], leave: batch, release: [], releaseAfterMs: 0 };
}

export function released(batch: readonly HeldMessage[], releaseAfterMs = 0): BatchEnding {
  return { acknowledge: [], leave: [], release: batch, releaseAfterMs };
}

/** Unless it is strictly AWS's way, a failure holds back later messages of its FIFO group (decision 0026). */
export function divided(
  batch: readonly HeldMessage[],
  failed: ReadonlySet<string>,
  isStrict: boolean,
): BatchEnding {
  const acknowledge: HeldMessage[] = [];
  const leave: HeldMessage[] = [];
  const release: HeldMessage[] = [];
  const failedGroups = new Set<string>();
  for (const held of batch) {
    const { messageId, groupId } = held.message;
    // plant: a-partial-response-is-read-the-wrong-way-round
    if (failed.has(messageId)) {
      leave.push(held);
      // plant: a-later-message-of-a-group-is-acknowledged-behind-a-listed-failure
      if (groupId !== undefined && !isStrict) failedGroups.add(groupId);
    } else if (groupId !== undefined && failedGroups.has(groupId)) release.push(held);
    else acknowledge.push(held);
  }
  return { acknowledge, leave, release, releaseAfterMs: 0 };
}

/**
 * Groups that go no further behind this ending. A message whose hold is lost may run elsewhere by now, though it is
 * done here: its group waits for that too.
 */
export function groupsHeldBack(
  { acknowledge, leave, release }: BatchEnding,
  nowMs: number,
): ReadonlySet<string> {
  const lost = acknowledge.filter((held) => !isHeldAt(held, nowMs));
  return new Set([...leave, ...release, ...lost].flatMap(({ message }) => message.groupId ?? []));
}
