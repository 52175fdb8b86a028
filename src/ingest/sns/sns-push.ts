import { verify } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { SignedMessage, SignedPush } from "../../api/pushed/signed-push.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogFields, LogLevel } from "../../ports/telemetry.ts";
import { CertificateBook } from "./certificate-book.ts";
import type { CheckedGet } from "./checked-get.ts";
import { allowedUrl, isListedHost, type SnsHosts } from "./sns-hosts.ts";
import { readSnsMessage, type SnsMessage, signedText, snsEvent } from "./sns-message.ts";

export interface SnsPushOptions extends SnsHosts {
  /** Which topics may push to which functions; an ARN may end in `*`. */
  readonly declared: readonly { readonly functionName: string; readonly topicArn: string }[];
  readonly get: CheckedGet;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly log: (level: LogLevel, message: string, fields: LogFields) => void;
}

/** SNS tries for an hour at most to hand a message over by HTTP. */
const AGE_MS_MAX = 3_600_000 + 300_000;
const AHEAD_MS_MAX = 300_000;
/** Ids of messages that were handed over: one that comes again is answered, and not handed over again. */
const SEEN_MAX = 20_000;
const DIGESTS: Readonly<Record<string, string>> = { 1: "RSA-SHA1", 2: "RSA-SHA256" };

type Refused = Extract<SignedMessage, { readonly kind: "refused" }>;

/** Messages of SNS over HTTP (invocation §14): nothing of one counts before its signature was looked at. */
export class SnsPush implements SignedPush {
  readonly #options: SnsPushOptions;
  readonly #certificates: CertificateBook;
  /** By function, topic and id, with when it may be forgotten; the oldest first. */
  readonly #seen = new Map<string, number>();

  constructor(options: SnsPushOptions) {
    this.#options = options;
    this.#certificates = new CertificateBook(options.get, options.clock);
  }

  async take(functionName: string, headers: IncomingHttpHeaders, body: Buffer): Promise<SignedMessage> {
    const topics = this.#options.declared.filter((each) => each.functionName === functionName);
    if (topics.length === 0)
      return refused(404, "No messages of SNS are declared for this function: start millrace with --sns.");
    if (headers["x-amz-sns-rawdelivery"] === "true") return refused(403, RAW);
    const message = readSnsMessage(body);
    if (message === undefined) return refused(400, "The body is no message of SNS.");
    if (!topics.some(({ topicArn }) => isOfTopic(message, topicArn)))
      return refused(403, "The message is of a topic that is not declared for this function.");
    const fault = this.#ageFault(message) ?? (await this.#signatureFault(message));
    if (fault !== undefined) return fault;
    switch (message.type) {
      case "Notification":
        return this.#notified(functionName, message, headers);
      case "SubscriptionConfirmation":
        return await this.#confirmed(message);
      case "UnsubscribeConfirmation":
        this.#tell("warn", "a subscription of SNS has ended", message);
        return { kind: "done" };
    }
  }

  bare(headers: IncomingHttpHeaders, body: Buffer): string {
    const header = (name: string) => String(headers[`x-amz-sns-${name}`] ?? "").slice(0, HEADER_CHARS_MAX);
    const message: SnsMessage = {
      type: "Notification",
      messageId: header("message-id"),
      topicArn: header("topic-arn"),
      message: body.toString(),
      timestamp: new Date(this.#options.clock.now()).toISOString(),
      ...{ signatureVersion: "1", signature: "", signingCertUrl: "" },
      ...{ subject: undefined, token: undefined, subscribeUrl: undefined, unsubscribeUrl: undefined },
      attributes: {},
    };
    return snsEvent(message, header("subscription-arn"));
  }

  #ageFault({ timestamp }: SnsMessage): Refused | undefined {
    const ageMs = this.#options.clock.now() - Date.parse(timestamp);
    // What is no time is not a number, which is in no range.
    if (ageMs <= AGE_MS_MAX && ageMs >= -AHEAD_MS_MAX) return undefined;
    return refused(403, "The message is older than an hour, or from the future.");
  }

  async #signatureFault(message: SnsMessage): Promise<Refused | undefined> {
    const { signatureVersion, signature, signingCertUrl, topicArn } = message;
    const digest = Object.hasOwn(DIGESTS, signatureVersion) ? DIGESTS[signatureVersion] : undefined;
    if (digest === undefined) return refused(403, "SignatureVersion is to be 1 or 2.");
    const url = allowedUrl(signingCertUrl, topicArn, this.#options);
    if (url?.pathname.endsWith(".pem") !== true || url.search !== "")
      return refused(403, "SigningCertURL names no certificate of a host that may sign: see --sns-host.");
    const found = await this.#certificates.keyAt(url, isListedHost(url, this.#options));
    if (found.kind === "unknown")
      return refused(503, "The certificate of the message cannot be had for now.");
    const isSigned = verify(
      digest,
      Buffer.from(signedText(message)),
      found.key,
      Buffer.from(signature, "base64"),
    );
    return isSigned ? undefined : refused(403, "The signature is not of this message.");
  }

  #notified(functionName: string, message: SnsMessage, headers: IncomingHttpHeaders): SignedMessage {
    const { topicArn, messageId } = message;
    const nowMs = this.#options.clock.monotonic();
    const id = `${functionName} ${topicArn} ${messageId}`;
    if ((this.#seen.get(id) ?? 0) > nowMs) return { kind: "done" };
    const subscription = String(headers["x-amz-sns-subscription-arn"] ?? "");
    const event = snsEvent(message, subscription.startsWith(`${topicArn}:`) ? subscription : "");
    return { kind: "event", event, handedOver: () => this.#saw(id, nowMs) };
  }

  #saw(id: string, nowMs: number): void {
    this.#seen.delete(id);
    for (const [other, untilMs] of this.#seen) {
      if (untilMs > nowMs && this.#seen.size < SEEN_MAX) break;
      this.#seen.delete(other);
    }
    this.#seen.set(id, nowMs + AGE_MS_MAX + AHEAD_MS_MAX);
  }

  async #confirmed(message: SnsMessage): Promise<SignedMessage> {
    const { subscribeUrl = "", topicArn } = message;
    const url = allowedUrl(subscribeUrl, topicArn, this.#options);
    const asks = url?.searchParams;
    if (asks?.get("Action") !== "ConfirmSubscription" || asks.get("TopicArn") !== topicArn)
      return refused(
        403,
        "SubscribeURL confirms no subscription of this topic at a host that may be called.",
      );
    const answer = url && (await this.#options.get(url, isListedHost(url, this.#options)));
    if (answer === undefined) return refused(503, "The subscription could not be confirmed for now.");
    this.#tell("info", "a subscription of SNS is confirmed", message);
    return { kind: "done" };
  }

  #tell(level: LogLevel, text: string, { topicArn, messageId }: SnsMessage): void {
    this.#options.log(level, text, { topic: topicArn, messageId });
  }
}

const HEADER_CHARS_MAX = 300;
const RAW =
  "A raw delivery carries no signature: turn raw delivery off, or send it to the same path with /raw behind it, with credentials of the role send.";

function isOfTopic({ topicArn }: SnsMessage, declared: string): boolean {
  return declared.endsWith("*") ? topicArn.startsWith(declared.slice(0, -1)) : topicArn === declared;
}

function refused(status: Refused["status"], message: string): Refused {
  return { kind: "refused", status, message };
}
