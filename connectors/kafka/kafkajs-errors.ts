import protocol from "kafkajs/src/protocol/error.js";
import { ADDRESS_REFUSED } from "./broker-address.ts";
import { KafkaFault } from "./fault.ts";

/** How a broker names itself for messages. */
export interface ErrorPlace {
  /** `Fetch`, `connecting`. */
  readonly action: string;
  /** `host:port`; `undefined`: any. */
  readonly broker: string | undefined;
  readonly usesTls: boolean;
  readonly mechanism?: string | undefined;
}

const SERVER_CERTIFICATE_CODES = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
/** An alert of the broker: it did not take our certificate, or wanted one. */
const ALERT_CODE = /^ERR_SSL_.*ALERT/;
const AUTHENTICATION = new Set(["SASL_AUTHENTICATION_FAILED", "UNSUPPORTED_SASL_MECHANISM"]);
const AUTHORIZATION = new Set([
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
]);
/** What kafkajs reports as refused credentials though nobody looked at them. */
const LOGIN_CUT_OFF = /timed out|Closed connection|Connection error|Not connected/;
const TEXT_CHARS_MAX = 300;

/** What kafkajs rejects with, in our words: where, why and what to do; never a secret. */
export function toFault(error: unknown, place: ErrorPlace): KafkaFault {
  if (error instanceof KafkaFault) return error;
  const { name, message, type, code, memberId } = partsOf(error);
  const isCutOff = name === "KafkaJSSASLAuthenticationError" && LOGIN_CUT_OFF.test(message);
  if (
    name === "KafkaJSRequestTimeoutError" ||
    message === "Connection timeout" ||
    (isCutOff && message.includes("timed out"))
  ) {
    return new KafkaFault(
      "timeout",
      `${where(place)} was not answered in time. The broker may be overloaded or stopped.`,
      { endpoint: place.broker },
    );
  }
  if (
    (name === "KafkaJSSASLAuthenticationError" && !isCutOff) ||
    (type !== undefined && AUTHENTICATION.has(type))
  ) {
    return new KafkaFault(
      "authentication",
      `SASL authentication failed at the broker ${place.broker}: ${clip(message)}. ${loginAdvice(place)}`,
      {
        processingResult: "SASL authentication failed",
        endpoint: place.broker,
        ...(type === undefined ? {} : { protocolCode: type }),
      },
    );
  }
  if (type !== undefined) return protocolFault(type, clip(message), memberId, place);
  if (name === "KafkaJSServerDoesNotSupportApiKey") return unsupported(place, clip(message));
  if (code !== undefined && SERVER_CERTIFICATE_CODES.has(code)) return serverNotTrusted(place, code);
  if (code !== undefined && ALERT_CODE.test(code)) return clientNotTrusted(place, code);
  return new KafkaFault("unreachable", `${where(place)} failed: ${clip(message)}${advice(code, place)}`, {
    endpoint: place.broker,
  });
}

function loginAdvice({ mechanism }: ErrorPlace): string {
  if (mechanism === "OAUTHBEARER") {
    return (
      "Look whether the broker takes SASL/OAUTHBEARER, at issuer, audience, scope and life of the token, and with IAM at " +
      "this host's clock, at the AWS credentials and at their right to kafka-cluster:Connect."
    );
  }
  return (
    "Look at user name, password and mechanism (SASL/PLAIN, SCRAM-SHA-256, SCRAM-SHA-512) of the mapping's " +
    "sourceAccessConfigurations."
  );
}

/** What came after kafkajs. */
const LATER_CODES: readonly { readonly type: string; readonly code: number; readonly message: string }[] = [
  { type: "UNKNOWN_TOPIC_ID", code: 100, message: "This server does not host this topic ID" },
  { type: "INCONSISTENT_TOPIC_ID", code: 103, message: "The log's topic ID did not match the topic ID" },
];

function knownCode(code: number) {
  return [...protocol.errorCodes, ...LATER_CODES].find((entry) => entry.code === code);
}

/** The fault of an error code in an answer. */
export function faultOfCode(code: number, place: ErrorPlace): KafkaFault {
  const known = knownCode(code);
  return protocolFault(
    known?.type ?? `ERROR_${code}`,
    known?.message ?? "unknown to this client",
    undefined,
    place,
  );
}

export function nameOfCode(code: number): string {
  return knownCode(code)?.type ?? `ERROR_${code}`;
}

function protocolFault(
  type: string,
  text: string,
  memberId: string | undefined,
  place: ErrorPlace,
): KafkaFault {
  const protocolCode = type;
  if (AUTHORIZATION.has(type)) {
    const message =
      `Cluster failed to authorize Lambda: ${where(place)} was refused with ${type}. Allow the user of this mapping to ` +
      "Describe and Read the topic and the consumer group.";
    return new KafkaFault("authorization", message, {
      protocolCode,
      processingResult: "Cluster failed to authorize Lambda",
    });
  }
  if (type === "UNSUPPORTED_VERSION") return unsupported(place, text);
  const details = memberId === undefined ? { protocolCode } : { protocolCode, memberId };
  return new KafkaFault("protocol", `${where(place)} was answered with ${type}: ${text}.`, details);
}

function unsupported(place: ErrorPlace, text: string): KafkaFault {
  return new KafkaFault(
    "unsupported",
    `${where(place)} is not supported by the broker: ${text}. Kafka 0.11 or newer is needed.`,
  );
}

function serverNotTrusted({ broker }: ErrorPlace, code: string): KafkaFault {
  return new KafkaFault(
    "tls",
    `Lambda failed to authenticate server: the certificate of the broker ${broker} is not trusted (${code}). Give the ` +
      "authority that signed it as SERVER_ROOT_CA_CERTIFICATE, and name brokers as their certificates do.",
    { processingResult: "Lambda failed to authenticate server", endpoint: broker },
  );
}

function clientNotTrusted({ broker }: ErrorPlace, code: string): KafkaFault {
  return new KafkaFault(
    "tls",
    `Server failed to authenticate Lambda: the broker ${broker} ended the TLS handshake (${code}). It wants a client ` +
      "certificate that it trusts: CLIENT_CERTIFICATE_TLS_AUTH.",
    { processingResult: "Server failed to authenticate Lambda", endpoint: broker },
  );
}

function where({ action, broker }: ErrorPlace): string {
  return broker === undefined ? action : `${action} at the broker ${broker}`;
}

function advice(code: string | undefined, { usesTls }: ErrorPlace): string {
  if (code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return ". Nothing answers there: look at the bootstrap servers and at the brokers' advertised.listeners.";
  }
  if (code === ADDRESS_REFUSED) return ". An operator may name it in a manifest.";
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") return ". The port does not speak TLS.";
  return usesTls
    ? ". If this goes on: is it a port with TLS?"
    : ". If this goes on: is it a port without TLS and users?";
}

function clip(text: string): string {
  return (text.split("\n", 1)[0] ?? "").slice(0, TEXT_CHARS_MAX).replace(/\.$/, "");
}

interface ErrorParts {
  readonly name: string;
  readonly message: string;
  readonly type: string | undefined;
  readonly code: string | undefined;
  readonly memberId: string | undefined;
}

function partsOf(error: unknown): ErrorParts {
  const object: Readonly<Record<string, unknown>> =
    typeof error === "object" && error !== null ? { ...error } : {};
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  return {
    name: error instanceof Error ? error.name : "",
    message: error instanceof Error ? error.message : String(error),
    type: text(object["type"]),
    code: text(object["code"]),
    memberId: text(object["memberId"]),
  };
}
