import { open } from "node:fs/promises";
import { MillraceError } from "../../src/model/errors.ts";
import { Secret } from "../../src/model/secret.ts";
import type { KafkaAccess, KafkaSasl, KafkaTls } from "./access.ts";
import type { SourceAccess, SourceAccessType, TopicPlace } from "./settings.ts";

/** AWS Secrets Manager's own bound. */
const SECRET_BYTES_MAX = 65_536;
/** The environment variable that names the file with the secrets that mappings name by ARN. */
const SECRETS_FILE = "MILLRACE_SECRETS_FILE";
const SECRETS_FILE_BYTES_MAX = 1_048_576;
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
    const secret = new SecretDocument(entry, await readText(entry, environment));
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

async function readText(
  { type, uri }: SourceAccess,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Secret> {
  if (uri.startsWith("arn:")) return await readNamedSecret({ type, uri }, environment[SECRETS_FILE]);
  const name = /^env:(.*)$/s.exec(uri)?.[1];
  if (name === undefined) return await readSecretFile(uri.slice("file:".length), type);
  const text = environment[name];
  if (text !== undefined) return new Secret(text);
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `The environment variable ${name}, which holds the secret for ${type}, is not set. Set it to ${formOf(type)}.`,
  );
}

/** What stands for AWS Secrets Manager here: one file with all secrets, by their ARNs. */
async function readNamedSecret({ type, uri }: SourceAccess, path: string | undefined): Promise<Secret> {
  const remedy = `Write { "${uri}": ${formOf(type)} } into a file and set ${SECRETS_FILE} to its path`;
  const refuse = (problem: string): never => {
    throw new MillraceError("ERR_MILLRACE_CONFIG", `The secret ${uri} for ${type} ${problem}. ${remedy}.`);
  };
  if (path === undefined) return refuse(`cannot be read: ${SECRETS_FILE} is not set`);
  const text = await readBounded(path, SECRETS_FILE_BYTES_MAX).catch((error: unknown) =>
    refuse(`cannot be read from ${path} (${codeOf(error)})`),
  );
  if (text === undefined) return refuse(`is in ${path}, which has more than ${SECRETS_FILE_BYTES_MAX} bytes`);
  let secrets: unknown;
  try {
    secrets = JSON.parse(text);
  } catch {
    return refuse(`is in ${path}, which is not JSON`);
  }
  if (typeof secrets !== "object" || secrets === null || !Object.hasOwn(secrets, uri))
    return refuse(`is not in ${path}`);
  return new Secret(JSON.stringify(Reflect.get(secrets, uri)));
}

async function readSecretFile(path: string, type: SourceAccessType): Promise<Secret> {
  const remedy = `Write ${formOf(type)} into it, readable for this process`;
  const text = await readBounded(path, SECRET_BYTES_MAX).catch((error: unknown) => {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `The secret for ${type} cannot be read from ${path} (${codeOf(error)}). ${remedy}.`,
    );
  });
  if (text !== undefined) return new Secret(text);
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `The file ${path} has more than ${SECRET_BYTES_MAX} bytes, too many for the secret for ${type}. ${remedy}.`,
  );
}

/** `undefined`: the file is larger. */
async function readBounded(path: string, bytesMax: number): Promise<string | undefined> {
  await using file = await open(path, "r");
  const buffer = Buffer.alloc(bytesMax + 1);
  let length = 0;
  for (let read = 1; read > 0 && length <= bytesMax; length += read)
    read = (await file.read(buffer, length, buffer.length - length)).bytesRead;
  return length <= bytesMax ? buffer.toString("utf8", 0, length) : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
