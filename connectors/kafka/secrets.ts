import { MillraceError } from "../../src/model/errors.ts";
import { readSecret } from "../../src/secrets/read-secret.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { SecretDocument } from "../../src/secrets/source-access.ts";
import type { KafkaAccess, KafkaSasl, KafkaTls } from "./access.ts";
import type { TopicAccessType, TopicPlace } from "./settings.ts";

/** MSK's ports are fixed: plain text here, TLS on all others (kafka §6). */
const MSK_PLAINTEXT_PORT = ":9092";
const MSK_IAM_PORT = ":9098";

const MECHANISMS: Readonly<Partial<Record<TopicAccessType, KafkaSasl["mechanism"]>>> = {
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
    const form = formOf(entry.type);
    const secret = new SecretDocument(
      entry,
      form,
      await readSecret({ uri: entry.uri, purpose: entry.type, form }, environment),
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

function formOf(type: TopicAccessType): string {
  switch (type) {
    case "CLIENT_CERTIFICATE_TLS_AUTH":
      return '{"certificate": PEM, "privateKey": PEM, "privateKeyPassword": TEXT if the key has one}';
    case "SERVER_ROOT_CA_CERTIFICATE":
      return '{"certificate": PEM}';
    default:
      return '{"username": TEXT, "password": TEXT}';
  }
}
