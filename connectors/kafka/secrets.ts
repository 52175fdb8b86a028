import { MillraceError } from "../../src/model/errors.ts";
import { readSecret } from "../../src/secrets/read-secret.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { KafkaAccess, KafkaSasl, KafkaTls } from "./access.ts";
import type { SourceAccess, SourceAccessType, TopicPlace } from "./settings.ts";

/** MSK's ports are fixed: plain text here, TLS on all others (kafka §6). */
const MSK_PLAINTEXT_PORT = ":9092";
const MSK_IAM_PORT = ":9098";

const MECHANISMS: Readonly<Partial<Record<SourceAccessType, KafkaSasl["mechanism"]>>> = {
  BASIC_AUTH: "PLAIN",
  SASL_SCRAM_256_AUTH: "SCRAM-SHA-256",
  SASL_SCRAM_512_AUTH: "SCRAM-SHA-512",
};

/**
 * How the mapping's cluster is reached. Secrets are read here, once, in the JSON forms of AWS's (kafka §6). With any of
 * them the connection is TLS; without, a self-managed cluster is reached in plain text, and MSK as its ports say.
 * @throws ERR_MILLRACE_CONFIG when a secret is missing or has another form. No message shows any of it.
 */
export async function readAccess(
  {
    access,
    eventSourceArn,
    bootstrapServers,
  }: Pick<TopicPlace, "access" | "eventSourceArn" | "bootstrapServers">,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<KafkaAccess> {
  if (access.length === 0 && eventSourceArn !== undefined) return mskAccess(bootstrapServers);
  if (access.length === 0) return {};
  let sasl: KafkaSasl | undefined;
  let tls: KafkaTls = {};
  for (const entry of access) {
    const secret = new SecretDocument(
      entry,
      await readSecret({ uri: entry.uri, purpose: entry.type, form: formOf(entry.type) }, environment),
    );
    const mechanism = MECHANISMS[entry.type];
    if (mechanism !== undefined) {
      const username = secret.text("username");
      sasl = { mechanism, username, password: new Secret(secret.text("password")) };
    } else if (entry.type === "CLIENT_CERTIFICATE_TLS_AUTH") {
      tls = { ...tls, ...clientCertificate(secret) };
    } else {
      tls = { ...tls, ca: secret.text("certificate") };
    }
  }
  return sasl === undefined ? { tls } : { tls, sasl };
}

function mskAccess(bootstrapServers: readonly string[]): KafkaAccess {
  if (bootstrapServers.some((server) => server.endsWith(MSK_IAM_PORT))) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `Port ${MSK_IAM_PORT.slice(1)} of Amazon MSK is for IAM, which this version does not have. Give the servers of SASL/SCRAM ` +
        "(port 9096) with SASL_SCRAM_512_AUTH, or of TLS (port 9094), in endpoints.KAFKA_BOOTSTRAP_SERVERS.",
    );
  }
  return bootstrapServers.every((server) => server.endsWith(MSK_PLAINTEXT_PORT)) ? {} : { tls: {} };
}

function clientCertificate(secret: SecretDocument): KafkaTls {
  const passphrase = secret.optionalText("privateKeyPassword");
  return {
    certificate: secret.text("certificate"),
    privateKey: new Secret(secret.text("privateKey")),
    ...(passphrase === undefined ? {} : { passphrase: new Secret(passphrase) }),
  };
}

/** The JSON of one secret. */
class SecretDocument {
  readonly #entry: SourceAccess;
  readonly #members: object;

  constructor(entry: SourceAccess, text: Secret) {
    this.#entry = entry;
    this.#members = this.#parse(text);
  }

  text(name: string): string {
    return this.optionalText(name) ?? this.#refuse(`has no text "${name}"`);
  }

  optionalText(name: string): string | undefined {
    if (!Object.hasOwn(this.#members, name)) return undefined;
    const value: unknown = Reflect.get(this.#members, name);
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
    const { type, uri } = this.#entry;
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `The secret ${uri} for ${type} ${problem}. It must be ${formOf(type)}.`,
    );
  }
}

function formOf(type: SourceAccessType): string {
  switch (type) {
    case "CLIENT_CERTIFICATE_TLS_AUTH":
      return '{"certificate": PEM, "privateKey": PEM, "privateKeyPassword": TEXT if the key has one}';
    case "SERVER_ROOT_CA_CERTIFICATE":
      return '{"certificate": PEM}';
    default:
      return '{"username": TEXT, "password": TEXT}';
  }
}
