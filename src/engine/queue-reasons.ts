import { isNoReason, type Reason, reason } from "../model/reason.ts";
import { batchReason, LATE_MS } from "./batch-reasons.ts";
import type { FailedMessage, QueueExplanation } from "./explanation.ts";
import { filterReason, lookReason, type PartReasons, readFailureReason } from "./part-reasons.ts";

/** One part: what a queue holds is not divided. */
export function queueReasons(queue: QueueExplanation, nowMs: number): PartReasons {
  const { batches, waitingMessages, failedMessages, settledMessages, receiving } = queue;
  const around = { fn: queue.function, destination: undefined, nowMs };
  const reasons: Reason[] = [
    ...batches.map((batch) => batchReason(batch, around)),
    ...receivingReasons(queue, nowMs),
    ...(waitingMessages > 0 && !queue.isStopping ? [waitingReason(queue, nowMs)] : []),
    ...hiddenReasons(queue, nowMs),
    ...filterReason(queue.filteredOut, nowMs),
    ...lookReason(queue.sharing),
  ];
  const holdsWork =
    batches.length > 0 ||
    waitingMessages > 0 ||
    receiving.failures !== undefined ||
    // Nobody looks what the queue holds while nothing may be received of it.
    queue.function.shut !== undefined ||
    failedMessages.some(({ againMs }) => againMs > nowMs);
  return { part: "queue", holdsWork, progress: String(settledMessages), reasons: distinct(reasons) };
}

/** Many batches wait for one thing. */
function distinct(reasons: readonly Reason[]): readonly Reason[] {
  const seen = new Map<string, Reason>();
  for (const each of reasons) {
    const key = isNoReason(each.code) ? "none" : each.code;
    if (!seen.has(key)) seen.set(key, each);
  }
  return [...seen.values()];
}

function receivingReasons(queue: QueueExplanation, nowMs: number): readonly Reason[] {
  const { waitingMessages, receiving, batchesMax, runningBatches, share, settling } = queue;
  const { receives, failures, nextMs, idleSinceMs } = receiving;
  if (queue.isStopping) return [reason("stopping")];
  if (queue.function.shut !== undefined) return [reason(queue.function.shut)];
  const failing = failures === undefined ? [] : [readFailureReason(failures, nextMs)];
  const isTriedAgain = receives > 0 || nowMs - (nextMs ?? idleSinceMs) <= LATE_MS;
  if (failures !== undefined && isTriedAgain) return failing;
  if (batchesMax === 0) return [placeReason(queue)];
  const isBusy = runningBatches > 0 || waitingMessages > 0 || settling > 0;
  if (receives > 0) return [reason(isBusy ? "progressing" : "idle")];
  // What runs needs the room that a receive would need.
  if (isBusy) return [reason("readingFull", { facts: { records: waitingMessages, cause: "queue" } })];
  if (share?.places === 0) return [placeReason(queue)];
  return [...failing, reason("unknown", { untilMs: nextMs, facts: { of: "receiving" } })];
}

/** As many batches run as may here: by the maximum of all processes, or by what the mapping has grown to. */
function placeReason({ batchesMax, runningBatches, share }: QueueExplanation): Reason {
  if (share !== undefined && share.places < share.most)
    return reason("sharedMaximumTaken", { facts: { running: share.places, limit: share.most } });
  return reason("waitsForPlace", { facts: { running: runningBatches, most: batchesMax } });
}

function waitingReason(queue: QueueExplanation, nowMs: number): Reason {
  const { fillingUntilMs, batchesMax, runningBatches } = queue;
  if (runningBatches >= batchesMax) return placeReason(queue);
  if (fillingUntilMs === undefined) return reason("groupBusy");
  if (fillingUntilMs + LATE_MS > nowMs) return reason("fillingBatch", { untilMs: fillingUntilMs });
  return reason("unknown", { untilMs: fillingUntilMs, facts: { of: "messages" } });
}

/** Messages that failed: why, that they are hidden, and which their queue gives up. */
function hiddenReasons({ failedMessages, deadLetter }: QueueExplanation, nowMs: number): readonly Reason[] {
  const hidden = failedMessages.filter(({ againMs }) => againMs > nowMs);
  const last = hidden.at(-1);
  if (last === undefined) return [];
  const untilMs = Math.max(...hidden.map(({ againMs }) => againMs));
  const facts = { messages: hidden.length, problem: last.problem };
  const isOver = ({ receiveCount }: FailedMessage) =>
    deadLetter !== undefined && receiveCount >= deadLetter.receivesMax;
  const over = hidden.filter(isOver).length;
  return [
    ...(last.failure === undefined ? [] : [failedMessageReason(last, last.failure)]),
    ...(over === 0 || deadLetter === undefined
      ? []
      : [reason("movesToDeadLetter", { facts: { messages: over, queue: deadLetter.queue } })]),
    reason("messagesHidden", { untilMs, facts }),
  ];
}

function failedMessageReason(
  { receiveCount, problem, againMs, errorId }: FailedMessage,
  failure: NonNullable<FailedMessage["failure"]>,
): Reason {
  const facts = { attempts: receiveCount, problem, ...(errorId === undefined ? {} : { errorId }) };
  return reason(failure, { untilMs: againMs, facts });
}
