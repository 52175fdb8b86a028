import { MillraceError } from "../../src/model/errors.ts";
import { readSecret } from "../../src/secrets/read-secret.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { SecretDocument } from "../../src/secrets/source-access.ts";
import type { BearerSasl, KafkaAccess, KafkaSasl, KafkaTls, PasswordSasl } from "./access.ts";
import { fetchToken, OAUTH_FORM, readOAuthLogin } from "./oauth-client.ts";
import { isSecretAccess, type SecretAccessType, type SourceAccess, type TopicPlace } from "./settings.ts";
import { createTokenSasl } from "./token-cache.ts";

/** MSK's ports are fixed: plain text here, TLS on all others, IAM on two (kafka §6). */
const MSK_PLAINTEXT_PORT = ":9092";
const MSK_IAM_PORTS = [":9098", ":9198"];

const MECHANISMS: Readonly<Partial<Record<SecretAccessType, PasswordSasl["mechanism"]>>> = {
  BASIC_AUTH: "PLAIN",
  SASL_SCRAM_256_AUTH: "SCRAM-SHA-256",
  SASL_SCRAM_512_AUTH: "SCRAM-SHA-512",
};

type Environment = Readonly<Record<string, string | undefined>>;
type AccessPlace = Pick<TopicPlace, "access" | "eventSourceArn" | "bootstrapServers">;

/**
 * How the mapping's cluster is reached. Secrets are read here, once, in the JSON forms of AWS's (kafka §6); that of
 * OAuth 2.0 again with each token, so that it may be changed in its place. With any of them the connection is TLS;
 * without, a self-managed cluster is reached in plain text, and MSK as its ports say.
 * @throws ERR_MILLRACE_CONFIG when a secret is missing or has another form. No message shows any of it.
 */
export async function readAccess(
  place: AccessPlace,
  environment: Environment = process.env,
): Promise<KafkaAccess> {
  const { access, eventSourceArn, bootstrapServers } = place;
  if (access.length === 0) return eventSourceArn === undefined ? {} : await mskAccess(place, environment);
  let sasl: KafkaSasl | undefined;
  let tls: KafkaTls = {};
  for (const entry of access) {
    if (entry.type === "IAM_AUTH") sasl = await iamSasl(place, environment);
    else if (entry.type === "IAM_OAUTHBEARER_AUTH") sasl = await webIdentitySasl(place, environment);
    else if (entry.type === "OAUTHBEARER_AUTH") sasl = await oauthSasl(entry, access, environment);
    else if (isSecretAccess(entry.type)) {
      const secret = await documentOf(entry, entry.type, environment);
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
  }
  const isMsk = eventSourceArn !== undefined && sasl === undefined && tls.certificate === undefined;
  if (isMsk && bootstrapServers.some(isOfIam)) sasl = await iamSasl(place, environment);
  return sasl === undefined ? { tls } : { tls, sasl };
}

async function documentOf(
  { uri }: SourceAccess,
  type: SecretAccessType,
  environment: Environment,
): Promise<SecretDocument> {
  const form = formOf(type);
  return new SecretDocument({ type, uri }, form, await readSecret({ uri, purpose: type, form }, environment));
}

async function mskAccess(place: AccessPlace, environment: Environment): Promise<KafkaAccess> {
  const { bootstrapServers } = place;
  // AWS takes IAM where the cluster has it and nothing stronger is asked for.
  if (bootstrapServers.some(isOfIam)) return { tls: {}, sasl: await iamSasl(place, environment) };
  return bootstrapServers.every((server) => server.endsWith(MSK_PLAINTEXT_PORT)) ? {} : { tls: {} };
}

function isOfIam(server: string): boolean {
  return MSK_IAM_PORTS.some((port) => server.endsWith(port));
}

async function iamSasl(place: AccessPlace, environment: Environment): Promise<BearerSasl> {
  const { createIamSasl } = await import("./iam-login.ts");
  return createIamSasl({ region: regionOf(place, environment) });
}

async function webIdentitySasl(place: AccessPlace, environment: Environment): Promise<BearerSasl> {
  const { createWebIdentitySasl } = await import("./iam-login.ts");
  return createWebIdentitySasl({
    region: regionOf(place, environment),
    audience: plainText(place.access, "OAUTHBEARER_AUDIENCE") ?? "",
    endpoint: environment["AWS_ENDPOINT_URL_STS"] ?? environment["AWS_ENDPOINT_URL"],
  });
}

/** The secret may be changed in its place: what is new in it counts with the next token. */
async function oauthSasl(
  entry: SourceAccess,
  access: readonly SourceAccess[],
  environment: Environment,
): Promise<BearerSasl> {
  const read = async () => readOAuthLogin(await documentOf(entry, "OAUTHBEARER_AUTH", environment));
  const { clientId } = await read();
  const logicalCluster = plainText(access, "OAUTHBEARER_LOGICAL_CLUSTER");
  const identityPoolId = plainText(access, "OAUTHBEARER_IDENTITY_POOL");
  const wishes = {
    scope: plainText(access, "OAUTHBEARER_SCOPE"),
    audience: plainText(access, "OAUTHBEARER_AUDIENCE"),
  };
  return createTokenSasl({
    username: clientId,
    // Confluent's names of them.
    extensions: {
      ...(logicalCluster === undefined ? {} : { logicalCluster }),
      ...(identityPoolId === undefined ? {} : { identityPoolId }),
    },
    fetch: async () => await fetchToken(await read(), wishes),
  });
}

function plainText(access: readonly SourceAccess[], type: SourceAccess["type"]): string | undefined {
  return access.find((entry) => entry.type === type)?.uri;
}

/** The cluster's ARN says it, its brokers' names do, or this process has one. */
function regionOf({ eventSourceArn, bootstrapServers }: AccessPlace, environment: Environment): string {
  const named = bootstrapServers.map(
    (server) => /\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\./.exec(server)?.[1],
  );
  const region =
    eventSourceArn?.split(":")[3] ||
    named.find((name) => name !== undefined) ||
    environment["AWS_REGION"] ||
    environment["AWS_DEFAULT_REGION"];
  if (region !== undefined) return region;
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    "IAM needs the AWS region of the cluster, which neither its brokers' names say nor AWS_REGION. Set AWS_REGION.",
  );
}

function clientCertificate(secret: SecretDocument): KafkaTls {
  const passphrase = secret.optionalText("privateKeyPassword");
  return {
    certificate: secret.text("certificate"),
    privateKey: new Secret(secret.text("privateKey")),
    ...(passphrase === undefined ? {} : { passphrase: new Secret(passphrase) }),
  };
}

function formOf(type: SecretAccessType): string {
  switch (type) {
    case "CLIENT_CERTIFICATE_TLS_AUTH":
      return '{"certificate": PEM, "privateKey": PEM, "privateKeyPassword": TEXT if the key has one}';
    case "SERVER_ROOT_CA_CERTIFICATE":
      return '{"certificate": PEM}';
    case "OAUTHBEARER_AUTH":
      return OAUTH_FORM;
    default:
      return '{"username": TEXT, "password": TEXT}';
  }
}
