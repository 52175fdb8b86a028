import type { ConnectionOptions } from "node:tls";
import { MillraceError } from "../../src/model/errors.ts";
import type { Secret } from "../../src/secrets/secret.ts";
import { secureContextOf, type TlsIdentity } from "../../src/secrets/secure-context.ts";
import { KafkaFault } from "./fault.ts";

/** How brokers are reached. Secrets are held wrapped, so that no log shows them. */
export interface KafkaAccess {
  /** `undefined`: plain text. With it the broker's certificate is always verified. */
  readonly tls?: KafkaTls;
  /** Only with TLS. */
  readonly sasl?: KafkaSasl;
}

/** Default: the authorities that Node trusts have signed the brokers' certificates. */
export type KafkaTls = TlsIdentity;

export type KafkaSasl = PasswordSasl | BearerSasl;

export interface PasswordSasl {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly username: string;
  readonly password: Revealable;
}

/** A token for each login: a broker that ends sessions asks for another before the first one ends. */
export interface BearerSasl {
  readonly mechanism: "OAUTHBEARER";
  /** Whose token it is, in messages: `IAM_AUTH`. */
  readonly username: string;
  /** One that is good for a while yet. Rejects with a `KafkaFault` that says why there is none. */
  token(): Promise<BearerToken>;
  /** A broker has not taken the last one: the next login begins with a new one. */
  refused(): void;
}

export interface BearerToken {
  readonly value: Secret;
  /** Values of printable characters. */
  readonly extensions: Readonly<Record<string, string>>;
}

export interface Revealable {
  reveal(): string;
}

/** What a connection needs of an access: made once, shared by the connections of a cluster. */
export interface PreparedAccess {
  readonly tls: ConnectionOptions | undefined;
  readonly sasl: KafkaSasl | undefined;
}

/**
 * @throws ERR_MILLRACE_CONFIG for SASL without TLS: PLAIN sends the password in clear, and SCRAM lets who listens guess
 * it offline. ERR_MILLRACE_SOURCE_UNAVAILABLE when a certificate or key cannot be used.
 */
export function prepareAccess(access: KafkaAccess): PreparedAccess {
  const { tls, sasl } = access;
  if (sasl !== undefined && tls === undefined) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `SASL ${sasl.mechanism} without TLS would show the credentials of "${sasl.username}" to the network. Use the ` +
        "brokers' listener with TLS (SASL_SSL).",
    );
  }
  return { tls: tls === undefined ? undefined : tlsOptions(tls), sasl };
}

function tlsOptions(tls: KafkaTls): ConnectionOptions {
  const secureContext = secureContextOf(tls, certificateRefused);
  return { secureContext, minVersion: "TLSv1.2", rejectUnauthorized: true };
}

function certificateRefused(code: string): KafkaFault {
  return new KafkaFault(
    "tls",
    `Provided certificate or private key is invalid (${code}). Give PEM texts that belong together: the client ` +
      "certificate with its chain, its private key, the key's password if it has one, and the authority's certificate.",
    { processingResult: "Provided certificate or private key is invalid" },
  );
}
