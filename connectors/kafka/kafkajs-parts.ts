import type { ApiVersions, default as Connection, InternalLogger } from "kafkajs/src/network/connection.js";
import apiKeys from "kafkajs/src/protocol/requests/apiKeys.js";
import definitions, { type RequestDefinition } from "kafkajs/src/protocol/requests/index.js";
import type { KafkaSasl } from "./access.ts";
import { KafkaFault } from "./fault.ts";
import { bearerMechanism } from "./oauth-bearer.ts";

/** What kafkajs would write to standard output; errors reach the callers. */
export const SILENT: InternalLogger = {
  info() {},
  error() {},
  warn() {},
  debug() {},
  namespace: () => SILENT,
  setLogLevel() {},
};

export function saslOptions(sasl: KafkaSasl): object {
  if (sasl.mechanism === "OAUTHBEARER") return bearerMechanism(sasl);
  const { mechanism, username, password } = sasl;
  return {
    mechanism,
    username,
    get password() {
      return password.reveal();
    },
  };
}

/** kafkajs 2.2.4 schedules its queue with negative delays, of which Node warns on standard error for each request. */
export function avoidNegativeTimeouts({ requestQueue }: Connection): void {
  const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue);
  requestQueue.scheduleCheckPendingRequests = () => {
    if (requestQueue.pending.length > 0) schedule();
  };
}

export function definitionOf(name: string): RequestDefinition {
  const definition = definitions.requests[name];
  if (definition === undefined) throw new KafkaFault("unsupported", `kafkajs has no request ${name}.`);
  return definition;
}

export function keyOf(name: string): number {
  return apiKeys[name] ?? -1;
}

/** kafkajs logs in again so long before a session ends; its own ten seconds are more than a short session has. */
const RENEW_AHEAD_MS = 10_000;

/**
 * A session of a few seconds would be renewed with each request: a broker takes one renewal a second, and answers the
 * next as a broken login.
 */
export function fitRenewal(connection: Connection): void {
  const sessionMs = Number(connection.sessionLifetime);
  connection.reauthenticationThreshold = Math.min(RENEW_AHEAD_MS, Math.floor(sessionMs / 4));
}

interface VersionsAnswer {
  readonly apiVersions: readonly {
    readonly apiKey: number;
    readonly minVersion: number;
    readonly maxVersion: number;
  }[];
}

export function versionsOf(answer: unknown): ApiVersions {
  const { apiVersions } = answer as VersionsAnswer;
  return Object.fromEntries(apiVersions.map(({ apiKey, ...range }) => [apiKey, range]));
}

/**
 * A server of TLS answers plain text with an alert or a handshake: what it begins with, read as the length of a frame.
 */
export function isTlsRecord(length: number): boolean {
  const type = length >>> 24;
  return (type === 0x15 || type === 0x16) && ((length >>> 16) & 0xff) === 3;
}
