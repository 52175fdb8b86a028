import { open } from "node:fs/promises";
import { MillraceError } from "../model/errors.ts";
import { Secret } from "./secret.ts";

/** AWS Secrets Manager's own bound. */
const SECRET_BYTES_MAX = 65_536;
/** The environment variable that names the file with the secrets that mappings name by ARN. */
const SECRETS_FILE = "MILLRACE_SECRETS_FILE";
const SECRETS_FILE_BYTES_MAX = 1_048_576;

export interface SecretReference {
  /** As `parseSecretUri` gives it. */
  readonly uri: string;
  /** What the secret is for, in messages. */
  readonly purpose: string;
  /** What it looks like, in messages: `{"username": TEXT}`. */
  readonly form: string;
}

/**
 * Reads the text of a secret where its reference says that it stands.
 * @throws ERR_MILLRACE_CONFIG when it is not there. No message shows any of it.
 */
export async function readSecret(
  reference: SecretReference,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Secret> {
  const { uri, purpose, form } = reference;
  if (uri.startsWith("arn:")) return await readNamedSecret(reference, environment[SECRETS_FILE]);
  const name = /^env:(.*)$/s.exec(uri)?.[1];
  if (name === undefined) return await readSecretFile(uri.slice("file:".length), reference);
  const text = environment[name];
  if (text !== undefined) return new Secret(text);
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `The environment variable ${name}, which holds the secret for ${purpose}, is not set. Set it to ${form}.`,
  );
}

/** What stands for AWS Secrets Manager here: one file with all secrets, by their ARNs. */
async function readNamedSecret(
  { uri, purpose, form }: SecretReference,
  path: string | undefined,
): Promise<Secret> {
  const remedy = `Write { "${uri}": ${form} } into a file and set ${SECRETS_FILE} to its path`;
  const refuse = (problem: string): never => {
    throw new MillraceError("ERR_MILLRACE_CONFIG", `The secret ${uri} for ${purpose} ${problem}. ${remedy}.`);
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

async function readSecretFile(path: string, { purpose, form }: SecretReference): Promise<Secret> {
  const remedy = `Write ${form} into it, readable for this process`;
  const text = await readBounded(path, SECRET_BYTES_MAX).catch((error: unknown) => {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `The secret for ${purpose} cannot be read from ${path} (${codeOf(error)}). ${remedy}.`,
    );
  });
  if (text !== undefined) return new Secret(text);
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `The file ${path} has more than ${SECRET_BYTES_MAX} bytes, too many for the secret for ${purpose}. ${remedy}.`,
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
