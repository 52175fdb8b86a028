import { MillraceError } from "../model/errors.ts";
import type { FieldSchema } from "../model/field-schema.ts";
import type { Secret } from "./secret.ts";

/** AWS's types of `SourceAccessConfigurations`: how to log in to a source that AWS's credentials do not open. */
const SOURCE_ACCESS_TYPES = [
  "BASIC_AUTH",
  "SASL_SCRAM_256_AUTH",
  "SASL_SCRAM_512_AUTH",
  "CLIENT_CERTIFICATE_TLS_AUTH",
  "SERVER_ROOT_CA_CERTIFICATE",
  "OAUTHBEARER_AUTH",
  "OAUTHBEARER_SCOPE",
  "OAUTHBEARER_AUDIENCE",
  "OAUTHBEARER_LOGICAL_CLUSTER",
  "OAUTHBEARER_IDENTITY_POOL",
  "IAM_AUTH",
  "IAM_OAUTHBEARER_AUTH",
  "VIRTUAL_HOST",
  "VPC_SUBNET",
  "VPC_SECURITY_GROUP",
] as const;

/** One field of all connectors that ask for it: which types a source takes, its connector checks. */
export const SOURCE_ACCESS_FIELD: FieldSchema = {
  type: "array",
  maxItems: 23,
  items: {
    type: "object",
    properties: {
      type: {
        type: "string",
        enum: [...SOURCE_ACCESS_TYPES],
        description:
          "What it is for: a user and password (BASIC_AUTH: SASL/PLAIN), SCRAM, a client certificate, the certificate authority of the brokers, OAuth 2.0 (OAUTHBEARER_AUTH, and beside it OAUTHBEARER_SCOPE, OAUTHBEARER_AUDIENCE, OAUTHBEARER_LOGICAL_CLUSTER and OAUTHBEARER_IDENTITY_POOL, whose uri is the value itself), the AWS credentials of this process (IAM_AUTH, and IAM_OAUTHBEARER_AUTH with OAUTHBEARER_AUDIENCE, both without a uri), or a virtual host (VIRTUAL_HOST, whose uri is its name). VPC_SUBNET and VPC_SECURITY_GROUP are accepted and have no effect: millrace uses the network that it runs in.",
      },
      uri: {
        type: "string",
        minLength: 1,
        "x-millrace-secret": true,
        description:
          "Where the secret stands: file:PATH, relative to the folder of this file, env:NAME for an environment variable, or the ARN of a secret of AWS Secrets Manager, which stands under this ARN in the JSON file that the environment variable MILLRACE_SECRETS_FILE names. Its content is the JSON of AWS's secret: {username, password}, {certificate, privateKey, privateKeyPassword}, {certificate}, or for OAUTHBEARER_AUTH {oauthTokenEndpointUrl, oauthClientId, oauthClientSecret} or {oauthTokenEndpointUrl, oauthClientId, oauthClientEmail, oauthPrivateKey}. All types but IAM_AUTH and IAM_OAUTHBEARER_AUTH need it.",
      },
    },
    // The types of IAM have no uri, as on AWS: each connector asks for that of the others.
    required: ["type"],
  },
  description:
    "Sources that ask for a login only. How to log in and whom to trust; each source takes some of the types. With any of them the brokers' certificates are verified; an empty list connects without TLS and without login, where the source has that.",
};

/** What a secret is for, and where it stands. */
export interface SecretPlace {
  readonly type: string;
  readonly uri: string;
}

/** The JSON of one secret. No message shows any of it. */
export class SecretDocument {
  readonly #place: SecretPlace;
  readonly #form: string;
  readonly #members: object;

  /** @throws ERR_MILLRACE_CONFIG when it is not a JSON object. `form`: what it must look like, for messages. */
  constructor(place: SecretPlace, form: string, text: Secret) {
    this.#place = place;
    this.#form = form;
    this.#members = this.#parse(text);
  }

  /** @throws ERR_MILLRACE_CONFIG */
  text(name: string): string {
    return this.optionalText(name) ?? this.#refuse(`has no text "${name}"`);
  }

  /** Its kind is as it comes. */
  optionalValue(name: string): unknown {
    return Object.hasOwn(this.#members, name) ? Reflect.get(this.#members, name) : undefined;
  }

  optionalText(name: string): string | undefined {
    const value = this.optionalValue(name);
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  #parse(text: Secret): object {
    let value: unknown;
    try {
      value = JSON.parse(text.reveal());
    } catch {
      // The parser's own message would quote the secret.
      return this.#refuse("is not JSON");
    }
    return typeof value === "object" && value !== null ? value : this.#refuse("is not a JSON object");
  }

  #refuse(problem: string): never {
    const { type, uri } = this.#place;
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `The secret ${uri} for ${type} ${problem}. It must be ${this.#form}.`,
    );
  }
}
