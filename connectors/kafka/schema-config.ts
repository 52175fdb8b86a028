import { createSecureContext } from "node:tls";
import { MillraceError } from "../../src/model/errors.ts";
import type { NetworkReach } from "../../src/model/network-reach.ts";
import { readSecret } from "../../src/secrets/read-secret.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { SecretDocument } from "../../src/secrets/source-access.ts";
import { fetchToken, OAUTH_FORM, readOAuthLogin } from "./oauth-client.ts";
import { SchemaBook } from "./schema-book.ts";
import type { RecordSchemas } from "./schema-reader.ts";
import { createConfluentRegistry, createGlueRegistry, type SchemaRegistry } from "./schema-registry.ts";
import { isSecretAccess, type SchemaSettings, type SecretAccessType } from "./settings.ts";
import { createTokenSasl } from "./token-cache.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The registry of a mapping, with what opens it. It is called when a record needs a schema.
 * @throws ERR_MILLRACE_CONFIG when a secret is missing or has another form. No message shows any of it.
 */
export async function openSchemas(
  settings: SchemaSettings,
  reach?: NetworkReach,
  environment: Environment = process.env,
): Promise<RecordSchemas> {
  const { registryUri, format, attributes } = settings;
  const registry = registryUri.startsWith("arn:")
    ? await glueRegistry(registryUri, environment)
    : await confluentRegistry(settings, reach, environment);
  return { book: new SchemaBook(registry), format, attributes };
}

async function glueRegistry(arn: string, environment: Environment): Promise<SchemaRegistry> {
  const { processCredentials } = await import("../../src/aws/process-credentials.ts");
  const endpoint = environment["AWS_ENDPOINT_URL_GLUE"] ?? environment["AWS_ENDPOINT_URL"];
  return createGlueRegistry({ arn, credentials: processCredentials(), endpoint });
}

async function confluentRegistry(
  { registryUri, access }: SchemaSettings,
  reach: NetworkReach | undefined,
  environment: Environment,
): Promise<SchemaRegistry> {
  let authorization: (() => Promise<string>) | undefined;
  let tls: Readonly<Record<string, string>> = {};
  for (const { type, uri } of access) {
    if (!isSecretAccess(type)) continue;
    const read = async () => await documentOf(type, uri, environment);
    const secret = await read();
    if (type === "BASIC_AUTH") {
      const pair = new Secret(`${secret.text("username")}:${secret.text("password")}`);
      const header = new Secret(Buffer.from(pair.reveal()).toString("base64"));
      authorization = async () => `Basic ${header.reveal()}`;
    } else if (type === "OAUTHBEARER_AUTH") {
      const { clientId } = readOAuthLogin(secret);
      const fetch = async () => await fetchToken(readOAuthLogin(await read()), {});
      const tokens = createTokenSasl({ username: clientId, extensions: {}, fetch });
      authorization = async () => `Bearer ${(await tokens.token()).value.reveal()}`;
    } else if (type === "CLIENT_CERTIFICATE_TLS_AUTH") {
      const passphrase = secret.optionalText("privateKeyPassword");
      const [cert, key] = [secret.text("certificate"), secret.text("privateKey")];
      tls = { ...tls, cert, key, ...(passphrase === undefined ? {} : { passphrase }) };
    } else tls = { ...tls, ca: secret.text("certificate") };
  }
  return createConfluentRegistry({
    url: new URL(registryUri),
    authorization,
    tls: Object.keys(tls).length === 0 ? undefined : contextOf(tls),
    reach,
  });
}

function contextOf(tls: Readonly<Record<string, string>>) {
  try {
    return createSecureContext({ ...tls, minVersion: "TLSv1.2" });
  } catch {
    // The library's own message may quote a key.
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      "The certificate or private key for the schema registry is invalid. Give PEM texts that belong together.",
    );
  }
}

async function documentOf(
  type: SecretAccessType,
  uri: string,
  environment: Environment,
): Promise<SecretDocument> {
  const form = FORMS[type] ?? '{"username": TEXT, "password": TEXT}';
  return new SecretDocument(
    { type, uri },
    form,
    await readSecret({ uri, purpose: `${type} of the schema registry`, form }, environment),
  );
}

const FORMS: Readonly<Partial<Record<SecretAccessType, string>>> = {
  CLIENT_CERTIFICATE_TLS_AUTH:
    '{"certificate": PEM, "privateKey": PEM, "privateKeyPassword": TEXT if the key has one}',
  SERVER_ROOT_CA_CERTIFICATE: '{"certificate": PEM}',
  OAUTHBEARER_AUTH: OAUTH_FORM,
};
