import type { Envelope } from "../../src/model/envelope.ts";
import { MillraceError } from "../../src/model/errors.ts";
import type { Delivered, Destination } from "../../src/ports/destination.ts";
import type { KafkaCluster } from "./cluster.ts";
import { type FailureMessage, failureMessages } from "./failure-messages.ts";
import { KafkaFault, throwIfAborted } from "./fault.ts";
import { type TopicMessage, type TopicRange, TopicWriter } from "./topic-writer.ts";

/** Name of the header that holds a message's id; consumers that must not act twice tell repeats by it. */
export const FAILURE_ID_HEADER = "millrace-failure-id";

/** Codes that no other try will change: the message itself is refused. */
const REFUSALS = ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP"];

/** As tracing libraries write it, and mappings of topics read it. */
const TRACE_HEADER = "X-Amzn-Trace-Id";

/** `undefined`: what there is to say is not for this topic. */
type MessagesOf = (envelope: Envelope) => readonly TopicMessage[] | undefined;

export interface TopicDestinationOptions {
  /** Closed with the destination. */
  readonly cluster: KafkaCluster;
  readonly topic: string;
}

/**
 * `kafka://TOPIC` (kafka §5): one message for each record that was given up, under the record's own key, durable on all
 * in-sync replicas before the delivery resolves. At least once: a repeat carries the same id in its header
 * `millrace-failure-id`. Records of one key are written in their order.
 */
export function createTopicDestination(options: TopicDestinationOptions): Destination {
  return new TopicDestination(options, (envelope) => failureMessages(envelope)?.map(toTopicMessage));
}

/**
 * A topic that gets one message for each envelope, under its id as key, so that a repeat lies in the same partition;
 * attributes are headers. At least once.
 */
export function createMessageDestination(options: TopicDestinationOptions): Destination {
  return new TopicDestination(options, (envelope) => [messageOf(envelope)]);
}

function messageOf({ id, message, text }: Envelope): TopicMessage {
  const { attributes = {}, traceHeader } = message ?? {};
  const said = Object.entries(attributes).map(([name, { value }]) => [name, Buffer.from(value)] as const);
  const headers = {
    ...Object.fromEntries(said),
    ...(traceHeader === undefined ? {} : { [TRACE_HEADER]: Buffer.from(traceHeader) }),
    [FAILURE_ID_HEADER]: Buffer.from(id),
  };
  return { key: Buffer.from(id), value: Buffer.from(message?.text ?? text("metadata")), headers };
}

class TopicDestination implements Destination {
  readonly #options: TopicDestinationOptions;
  readonly #messagesOf: MessagesOf;
  readonly #writer: TopicWriter;

  constructor(options: TopicDestinationOptions, messagesOf: MessagesOf) {
    this.#options = options;
    this.#messagesOf = messagesOf;
    this.#writer = new TopicWriter(options.cluster, options.topic);
  }

  async deliver(envelope: Envelope, signal: AbortSignal): Promise<Delivered | undefined> {
    throwIfAborted(signal);
    const messages = this.#messagesOf(envelope);
    const { topic } = this.#options;
    if (messages === undefined) {
      const reason = `A failure record without Kafka records cannot go to the topic "${topic}"`;
      throw new MillraceError(
        "ERR_MILLRACE_DESTINATION_REJECTED",
        `${reason}. Name another failure destination.`,
      );
    }
    try {
      return deliveredAt(await this.#writer.write(messages, signal), messages.length);
    } catch (error) {
      throw toDestinationError(error, topic);
    }
  }

  async close(): Promise<void> {
    this.#options.cluster.close();
  }
}

/** `PARTITION:OFFSET+COUNT`, with commas between them. Brokers that do not say where leave it open. */
function deliveredAt(ranges: readonly TopicRange[], messages: number): Delivered | undefined {
  if (ranges.reduce((sum, { count }) => sum + count, 0) < messages) return undefined;
  return { at: ranges.map(({ partition, from, count }) => `${partition}:${from}+${count}`).join(",") };
}

function toTopicMessage({ id, key, value }: FailureMessage): TopicMessage {
  return { key, value, headers: { [FAILURE_ID_HEADER]: Buffer.from(id) } };
}

function toDestinationError(error: unknown, topic: string): unknown {
  if (!(error instanceof KafkaFault)) return error;
  const isRefused = error.protocolCode !== undefined && REFUSALS.includes(error.protocolCode);
  const code = isRefused ? "ERR_MILLRACE_DESTINATION_REJECTED" : "ERR_MILLRACE_DESTINATION_UNAVAILABLE";
  const remedy = isRefused ? ` Raise max.message.bytes of the topic "${topic}".` : "";
  return new MillraceError(
    code,
    `The failure topic "${topic}" did not accept a record. ${error.message}${remedy}`,
    {
      cause: error,
    },
  );
}
