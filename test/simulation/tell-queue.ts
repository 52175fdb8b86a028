import type { QueueEvent, QueueHistory } from "./queue-history.ts";
import type { Line } from "./story.ts";
import type { SimDelivery } from "./world/queue-message.ts";

/** What happened to a queue, as lines of the story. */
export function tellQueue({ mapping, events, queue, plan }: QueueHistory): Line[] {
  const lines: Line[] = [];
  for (const event of events) {
    const text = describe(event, plan.isFifo);
    if (text !== undefined)
      lines.push({ at: event.at, text: `${mapping.name}: ${event.process.owner} ${text}` });
  }
  for (const { messageId, redrivenAt } of queue.messages) {
    if (redrivenAt !== undefined)
      lines.push({ at: redrivenAt, text: `${mapping.name}: ${messageId} is redriven` });
  }
  return lines;
}

function describe(event: QueueEvent, isFifo: boolean): string | undefined {
  const places = (deliveries: readonly SimDelivery[]) => listed(deliveries, isFifo);
  switch (event.kind) {
    case "attemptStarted":
      return `→ function: attempt ${event.attempt.id} ${places(event.attempt.deliveries)} request ${event.attempt.requestId.slice(0, 4)}`;
    case "mappingBegun":
      return "begins with the mapping again";
    case "attemptRan":
      return undefined;
    case "attemptTold":
      return `← attempt ${event.attempt.id}: ${event.attempt.told} (${event.attempt.plan})`;
    case "receiveStarted":
      return `receives (${event.receive}) at most ${event.messagesMax}`;
    case "receiveEnded":
      return `has received (${event.receive}) ${places(event.deliveries)}`;
    case "settlementSent":
      return `asks to ${event.how} ${places(event.deliveries)}${event.how === "acknowledge" ? "" : ` ${event.forMs} ms`}`;
    case "settlementApplied":
      return undefined;
    case "settlementTold":
      return `is told of ${event.how}: ${places(event.deliveries)} ${[...new Set(event.results)].join(", ")}`;
  }
}

/** `ID.RECEIVE`, with the group on FIFO queues, runs shortened. */
function listed(deliveries: readonly SimDelivery[], isFifo: boolean): string {
  const shown = deliveries.slice(0, 10).map(({ sent, receiveCount }) => {
    const group = isFifo ? `${sent.groupId.replace("key-", "g")}/` : "";
    return `${group}${sent.id}${receiveCount > 1 ? `.${receiveCount}` : ""}${sent.poison ? "☠" : ""}`;
  });
  return `[${shown.join(" ")}${deliveries.length > 10 ? ` … ${deliveries.length} in all` : ""}]`;
}
