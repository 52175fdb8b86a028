import type { Envelope, EnvelopeMessage } from "../model/envelope.ts";
import { tooLarge } from "./aws-call.ts";
import { FAILURE_ID_NAME, failureIdText } from "./failure-id.ts";

/** What SQS and SNS carry: AWS's document without the event (streams §5.7), and the record's id beside it. */
export interface Message {
  readonly text: string;
  readonly attributes: Record<string, { DataType: "String" | "Number"; StringValue: string }>;
  /** X-Ray's, for queues alone. */
  readonly traceHeader?: string | undefined;
}

/**
 * The bound of both services, attributes included. A queue or topic may be set to less (a topic is by default: 256
 * KiB); it says so itself then.
 */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/** @throws MillraceError ERR_MILLRACE_DESTINATION_REJECTED */
export function messageOf(envelope: Envelope, arn: string): Message {
  if (envelope.message !== undefined) return ownMessage(envelope.message, arn);
  const text = envelope.text("metadata");
  const id = failureIdText(envelope);
  const bytes = Buffer.byteLength(text) + FAILURE_ID_NAME.length + "String".length + id.length;
  if (bytes > MESSAGE_BYTES_MAX) throw tooLarge(arn, bytes, MESSAGE_BYTES_MAX);
  return { text, attributes: { [FAILURE_ID_NAME]: { DataType: "String", StringValue: id } } };
}

/** What is said of an asynchronous event: AWS's document, or the event with AWS's attributes, and nothing beside. */
function ownMessage({ text, attributes, traceHeader }: EnvelopeMessage, arn: string): Message {
  const entries = Object.entries(attributes).map(([name, { type, value }]) => {
    return [name, { DataType: type, StringValue: value }] as const;
  });
  const beside = entries.reduce(
    (sum, [name, each]) => sum + name.length + each.DataType.length + Buffer.byteLength(each.StringValue),
    0,
  );
  const bytes = Buffer.byteLength(text) + beside;
  if (bytes > MESSAGE_BYTES_MAX) throw tooLarge(arn, bytes, MESSAGE_BYTES_MAX);
  return { text, attributes: Object.fromEntries(entries), traceHeader };
}
