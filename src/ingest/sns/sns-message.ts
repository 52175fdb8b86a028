import { parseJsonBody } from "../../api/json-body.ts";

/** A message of SNS as it comes by HTTP; all members are texts. */
export interface SnsMessage {
  readonly type: SnsMessageType;
  readonly messageId: string;
  readonly topicArn: string;
  readonly message: string;
  readonly timestamp: string;
  readonly signatureVersion: string;
  readonly signature: string;
  readonly signingCertUrl: string;
  readonly subject: string | undefined;
  readonly token: string | undefined;
  readonly subscribeUrl: string | undefined;
  readonly unsubscribeUrl: string | undefined;
  /** No signature covers them. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

const TYPES = ["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"] as const;
export type SnsMessageType = (typeof TYPES)[number];

/** `undefined`: it is no message of SNS. @throws ControlFault for JSON beyond the bounds of the API's bodies. */
export function readSnsMessage(body: Buffer): SnsMessage | undefined {
  const members = parseJsonBody(body);
  const text = (name: string): string | undefined => {
    const value = members[name];
    return typeof value === "string" ? value : undefined;
  };
  const type = TYPES.find((each) => each === members["Type"]);
  const [messageId, topicArn, message, timestamp] = ["MessageId", "TopicArn", "Message", "Timestamp"].map(
    text,
  );
  const [signature, signingCertUrl] = [text("Signature"), text("SigningCertURL")];
  if (type === undefined || messageId === undefined || topicArn === undefined) return undefined;
  if (message === undefined || timestamp === undefined) return undefined;
  if (signature === undefined || signingCertUrl === undefined) return undefined;
  const [token, subscribeUrl] = [text("Token"), text("SubscribeURL")];
  if (type !== "Notification" && (token === undefined || subscribeUrl === undefined)) return undefined;
  // What is signed is a line for each member: one that holds lines of its own could be read as others that follow.
  // plant: a-member-of-a-signed-message-holds-lines
  if ([messageId, topicArn, timestamp, token, subscribeUrl].some((each) => each?.includes("\n")))
    return undefined;
  const attributes = members["MessageAttributes"];
  return {
    ...{ type, messageId, topicArn, message, timestamp, signature, signingCertUrl, token, subscribeUrl },
    signatureVersion: text("SignatureVersion") ?? "",
    subject: text("Subject"),
    unsubscribeUrl: text("UnsubscribeURL"),
    attributes: typeof attributes === "object" && attributes !== null ? { ...attributes } : {},
  };
}

/** What SNS has signed: members in their order, each with its name, a line each. */
export function signedText(message: SnsMessage): string {
  const { type, messageId, subject, subscribeUrl, timestamp, token, topicArn } = message;
  const members: readonly (readonly [string, string | undefined])[] =
    type === "Notification"
      ? [
          ["Message", message.message],
          ["MessageId", messageId],
          ["Subject", subject],
          ["Timestamp", timestamp],
          ["TopicArn", topicArn],
          ["Type", type],
        ]
      : [
          ["Message", message.message],
          ["MessageId", messageId],
          ["SubscribeURL", subscribeUrl],
          ["Timestamp", timestamp],
          ["Token", token],
          ["TopicArn", topicArn],
          ["Type", type],
        ];
  return members.map(([name, value]) => (value === undefined ? "" : `${name}\n${value}\n`)).join("");
}

/** As SNS hands a notification to Lambda, whose spelling of two members is another (invocation §14). */
export function snsEvent(message: SnsMessage, subscriptionArn: string): string {
  const { subject = null, unsubscribeUrl = "" } = message;
  return JSON.stringify({
    Records: [
      {
        EventSource: "aws:sns",
        EventVersion: "1.0",
        EventSubscriptionArn: subscriptionArn,
        Sns: {
          Type: message.type,
          MessageId: message.messageId,
          TopicArn: message.topicArn,
          Subject: subject,
          Message: message.message,
          Timestamp: message.timestamp,
          SignatureVersion: message.signatureVersion,
          Signature: message.signature,
          SigningCertUrl: message.signingCertUrl,
          UnsubscribeUrl: unsubscribeUrl,
          MessageAttributes: message.attributes,
        },
      },
    ],
  });
}
