import assert from "node:assert/strict";
import type { QueueMessage, QueueSource, ReceiveBounds } from "../../src/ports/queue-source.ts";

/** What an adapter's test gives to the contract suite. */
export interface QueueHarness {
  /** What the queue behind the adapter is able to do; tests of what it is not are skipped. */
  readonly can: QueueCapabilities;
  createQueue(settings: QueueSettings): Promise<QueueFixture>;
  /** Opens a queue that does not exist: rejects, or gives a source whose `receive` rejects. */
  openMissingQueue(): Promise<QueueSource>;
}

export interface QueueCapabilities {
  readonly fifo: boolean;
  /** Every queue keeps the order of groups: messages without one are in none. */
  readonly alwaysFifo?: boolean;
  /** An acknowledgement after the hold's end, or a second one, is answered `lost`. SQS says yes to both. */
  readonly tellLostAcknowledgements: boolean;
  /** A queue's settings can be changed, and a queue removed and made anew: `reshape`, `remove`, `remake`. */
  readonly change: boolean;
  /** A message can be made unreadable: `sendDamaged`. */
  readonly damage: boolean;
  /** A queue can be removed and made anew, though its settings are not its own. Default: as `change`. */
  readonly remake?: boolean;
  /** False: a queue is made when somebody reads it, and none is missing. */
  readonly missing?: boolean;
  /** What its event is, where it is not that of the queues of AWS. */
  readonly event?: EventShape;
}

export interface EventShape {
  /** Member of the filter document that holds a message's data. */
  readonly dataKey: string;
  /** Data that is a list is JSON, too. */
  readonly listsAreJson: boolean;
  /** A message has its id in the event. */
  readonly namesMessages: boolean;
}

export interface QueueSettings {
  readonly isFifo: boolean;
  /** The queue's own visibility time-out, in whole seconds. */
  readonly visibilityMs: number;
}

/** A queue of its own for one test. Disposing closes all sources that were opened on it. */
export interface QueueFixture extends AsyncDisposable {
  /** Each call opens another, independent source. */
  openSource(): Promise<QueueSource>;
  /** Sends in this order; resolves when a receive can get the messages. */
  send(messages: readonly SampleMessage[]): Promise<void>;
  /** Lets time go by as the queue sees it. A virtual or settable clock is moved; only a real server is waited for. */
  pause(ms: number): Promise<void>;
  /** The `body` texts of the messages in a Lambda event of this source. */
  bodiesOf(event: unknown): readonly string[];
  reshape?(visibilityMs: number): Promise<void>;
  remove?(): Promise<void>;
  /** A new queue of the same name and kind. */
  remake?(visibilityMs: number): Promise<void>;
  /** A message of which no event can be made. */
  sendDamaged?(): Promise<void>;
}

export interface SampleMessage {
  readonly body: string;
  /** Only for FIFO queues, and always for them. */
  readonly groupId?: string;
}

/** A never aborted signal. */
export const NO_ABORT: AbortSignal = new AbortController().signal;
export const STANDARD: QueueSettings = { isFifo: false, visibilityMs: 30_000 };
export const FIFO: QueueSettings = { isFifo: true, visibilityMs: 30_000 };
/** No test takes so long. */
export const LONG_HOLD_MS = 600_000;
/** A call must fit into it on a busy machine, and a real server is waited for so long. */
export const SHORT_HOLD_MS = 2_000;
/** Behind the end of a short hold. */
export const PAST_SHORT_HOLD_MS = SHORT_HOLD_MS + 500;
export const AT_ONCE: ReceiveBounds = { messagesMax: 10, waitMs: 0, holdMs: LONG_HOLD_MS };
const RECEIVES_MAX = 100;

export function sampleMessages(count: number, prefix = "message"): readonly SampleMessage[] {
  return Array.from({ length: count }, (_, index) => ({
    body: JSON.stringify({ name: `${prefix}-${index}` }),
  }));
}

/** Bodies `GROUP-0`, `GROUP-1`, … of one group. */
export function groupMessages(groupId: string, count: number): readonly SampleMessage[] {
  return Array.from({ length: count }, (_, index) => ({ body: `${groupId}-${index}`, groupId }));
}

/** Receives until `count` messages are there, or until a receive gives none. */
export async function receiveAll(
  source: QueueSource,
  count: number,
  holdMs = LONG_HOLD_MS,
): Promise<readonly QueueMessage[]> {
  const messages: QueueMessage[] = [];
  for (let receives = 0; receives < RECEIVES_MAX && messages.length < count; receives++) {
    const received = await source.receive({ messagesMax: count, waitMs: 0, holdMs }, NO_ABORT);
    if (received.length === 0) break;
    messages.push(...received);
  }
  return messages;
}

/** The one message that a receive gives now. */
export async function receiveOne(source: QueueSource, holdMs = LONG_HOLD_MS): Promise<QueueMessage> {
  const messages = await source.receive({ messagesMax: 1, waitMs: 0, holdMs }, NO_ABORT);
  const [message] = messages;
  assert.ok(message !== undefined, "a message is received");
  assert.equal(messages.length, 1);
  return message;
}

export async function receivesNothing(source: QueueSource): Promise<void> {
  const messages = await source.receive(AT_ONCE, NO_ABORT);
  assert.deepEqual(
    messages.map(({ messageId }) => messageId),
    [],
  );
}

export function bodiesOf(
  fixture: QueueFixture,
  source: QueueSource,
  messages: readonly QueueMessage[],
): readonly string[] {
  const event: unknown = JSON.parse(Buffer.from(source.events.encode(messages)).toString());
  return fixture.bodiesOf(event);
}

export function texts(messages: readonly SampleMessage[]): readonly string[] {
  return messages.map(({ body }) => body);
}
