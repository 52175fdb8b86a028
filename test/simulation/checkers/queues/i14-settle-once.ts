import type { QueueAttempt, SettlementSent, SettlementTold } from "../../queue-history.ts";
import { canHappen } from "../../queue-ledger.ts";
import type { SimDelivery } from "../../world/queue-message.ts";
import type { QueueChecker, QueueTrial } from "./queue-checker.ts";

/** Timers are late by up to a millisecond, clocks drift, and an answer may be under way. */
const TICK_MS = 5;
/** A slow call, both ways. */
const SLOW_MS = 7_000;

interface State {
  /** An answer settled it. */
  done: boolean;
  /** The engine acknowledged or released it, and what came of it. */
  sent: "acknowledge" | "release" | undefined;
  sentAt: number;
  told: "settled" | "lost" | undefined;
}

/**
 * A delivery is acknowledged after its success only, acknowledged or released once, until the queue has answered for
 * it; nothing is done with one that is known to be lost, and no invocation starts on it; and a hold is kept while its
 * message waits or runs.
 */
export const settleOnce: QueueChecker = {
  id: "I14",
  title: "settle once",
  check(trial) {
    const states = new Map<SimDelivery, State>();
    for (const event of trial.queue.events) {
      switch (event.kind) {
        case "attemptStarted":
          checkHolds(trial, event.attempt);
          break;
        case "attemptTold":
          for (const [index, delivery] of event.attempt.deliveries.entries()) {
            if (event.attempt.toldSettled[index] === true) stateOf(states, delivery).done = true;
          }
          break;
        case "settlementSent":
          checkSettlement(trial, event, states);
          break;
        case "settlementTold":
          noteTold(event, states);
          break;
        default:
      }
    }
    checkTriedAgain(trial, states);
    checkKept(trial);
  },
};

function stateOf(states: Map<SimDelivery, State>, delivery: SimDelivery): State {
  const state = states.get(delivery) ?? { done: false, sent: undefined, sentAt: 0, told: undefined };
  states.set(delivery, state);
  return state;
}

function checkHolds({ report }: QueueTrial, attempt: QueueAttempt): void {
  const { id, startedAt, startedLocalMs, heldUntilLocalMs, hasToldLost } = attempt;
  if (hasToldLost) report(startedAt, `attempt ${id} starts with a message that is lost`);
  else if (startedLocalMs > heldUntilLocalMs) {
    const lateMs = Math.round(startedLocalMs - heldUntilLocalMs);
    report(startedAt, `attempt ${id} starts ${lateMs} ms after the hold of a message had ended`);
  }
}

function checkSettlement(
  { report }: QueueTrial,
  { at, how, deliveries }: SettlementSent,
  states: Map<SimDelivery, State>,
): void {
  for (const delivery of deliveries) {
    const state = stateOf(states, delivery);
    const { messageId, sent } = delivery;
    if (state.told !== undefined) report(at, `${how} of ${messageId}, which the queue called ${state.told}`);
    if (how === "extend") continue;
    if (state.sent !== undefined && (state.sent !== how || how === "release")) {
      report(at, `${how} of ${messageId} after its ${state.sent}`);
    }
    if (how === "acknowledge" && sent.accepted && !state.done) {
      report(at, `${messageId} is acknowledged, and no answer settled it`);
    }
    state.sent = how;
    state.sentAt = at;
  }
}

function noteTold({ how, deliveries, results }: SettlementTold, states: Map<SimDelivery, State>): void {
  for (const [index, delivery] of deliveries.entries()) {
    const result = results[index];
    if (result === "lost" || (result === "settled" && how !== "extend"))
      stateOf(states, delivery).told = result;
  }
}

/** An acknowledgement that nobody answered is tried again while the hold lasts. */
function checkTriedAgain({ history, report }: QueueTrial, states: ReadonlyMap<SimDelivery, State>): void {
  const { scenario } = history;
  if (canHappen(scenario, ["timer late"], ["pause"])) return;
  const withinMs = scenario.settings.backoffCapMs + SLOW_MS;
  for (const [{ process, messageId, heldUntilLocalMs, over }, { sent, sentAt, told }] of states) {
    if (sent !== "acknowledge" || told !== undefined || over !== undefined) continue;
    const livedUntil = Math.min(process.diedAt ?? history.endedAt, process.stopCalledAt ?? history.endedAt);
    if (livedUntil < sentAt + withinMs || heldUntilLocalMs < process.localAt(sentAt) + withinMs) continue;
    report(sentAt, `the acknowledgement of ${messageId} failed and was not tried again`);
  }
}

/** Judged where extensions work and nothing holds the process up: what is in hand is not given to somebody else. */
function checkKept({ history, queue, report }: QueueTrial): void {
  const kinds = [
    "extension failed",
    "extension applied, reply lost",
    "extension failed in part",
    "extension slow",
    // Of what was handed out late nobody knows how long it is held.
    "receive slow",
    "timer late",
    "hold ended by the queue",
  ] as const;
  if (canHappen(history.scenario, kinds, ["pause", "outage"])) return;
  const endOf = new Map<SimDelivery, number>();
  for (const event of queue.events) {
    if (event.kind === "receiveEnded") {
      for (const delivery of event.deliveries) endOf.set(delivery, Number.POSITIVE_INFINITY);
    } else if (event.kind === "attemptTold") {
      for (const [index, delivery] of event.attempt.deliveries.entries()) {
        if (event.attempt.toldSettled[index] !== true) endOf.set(delivery, event.at);
      }
    } else if (event.kind === "attemptStarted") {
      for (const delivery of event.attempt.deliveries) endOf.set(delivery, Number.POSITIVE_INFINITY);
    } else if (event.kind === "settlementSent" && event.how !== "extend") {
      for (const delivery of event.deliveries) {
        if (event.how === "release" || !delivery.sent.accepted) endOf.set(delivery, event.at);
      }
    }
  }
  for (const [{ over, process, messageId, takenAt, sent }, end] of endOf) {
    if (over?.by !== "expired" || sent.unmade !== undefined) continue;
    const inHandUntil = Math.min(end, process.diedAt ?? end, process.stopCalledAt ?? end);
    if (over.at + TICK_MS >= inHandUntil) continue;
    report(
      over.at,
      `${process.owner} lost its hold of ${messageId}, received at ${takenAt.toFixed(0)}, with all well`,
    );
  }
}
