/** What a destination is given. Who gave something up makes it: a destination knows no batch, event or function. */
export interface Envelope {
  /** The same for every delivery of the same thing: destinations drop repeats by it. Another content has another id. */
  readonly id: string;
  /** Path for destinations that keep each as an object of its own; they add what tells it from others of its second. */
  readonly name: string;
  /** The event that it is about. */
  readonly payload: Uint8Array | undefined;
  /** A JSON object. `whole` carries the payload, `metadata` does not. */
  text(form: "metadata" | "whole"): string;
  /** What a destination of messages sends; absent: the text `metadata`, with the id beside it. */
  readonly message?: EnvelopeMessage | undefined;
}

export interface EnvelopeMessage {
  readonly text: string;
  /** The same in fewer bytes, for a destination that takes no message of this size. */
  readonly smaller?: string | undefined;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  /** X-Ray's, for queues that carry one beside the message. */
  readonly traceHeader?: string | undefined;
}

export interface MessageAttribute {
  readonly type: "String" | "Number";
  readonly value: string;
}
