import type { Envelope } from "../model/envelope.ts";
import { tooLarge } from "./aws-call.ts";
import { FAILURE_ID_NAME, failureIdText } from "./failure-id.ts";

/** What SQS and SNS carry: AWS's document without the event (streams §5.7), and the record's id beside it. */
export interface Message {
  readonly text: string;
  readonly attributes: Record<string, { DataType: "String"; StringValue: string }>;
}

/**
 * The bound of both services, attributes included. A queue or topic may be set to less (a topic is by default: 256
 * KiB); it says so itself then.
 */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/** @throws MillraceError ERR_MILLRACE_DESTINATION_REJECTED */
export function messageOf(envelope: Envelope, arn: string): Message {
  const text = envelope.text("metadata");
  const id = failureIdText(envelope);
  const bytes = Buffer.byteLength(text) + FAILURE_ID_NAME.length + "String".length + id.length;
  if (bytes > MESSAGE_BYTES_MAX) throw tooLarge(arn, bytes, MESSAGE_BYTES_MAX);
  return { text, attributes: { [FAILURE_ID_NAME]: { DataType: "String", StringValue: id } } };
}
