import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { parseYamlDocuments } from "../manifests/yaml-documents.ts";
import { describeError, MillraceError } from "../model/errors.ts";

export type Role = "read" | "write";

export interface Caller {
  readonly name: string;
  readonly role: Role;
}

/** Who may use the API. Tokens are kept as hashes; the secrets of keys are what signatures are made with. */
export interface Credentials {
  readonly tokens: readonly { readonly hash: Buffer; readonly caller: Caller }[];
  readonly keys: readonly {
    readonly accessKeyId: string;
    readonly secret: string;
    readonly caller: Caller;
  }[];
}

const FILE_BYTES_MAX = 64 * 1024;
const SECRET_BYTES_MIN = 32;
const CALLERS_MAX = 200;

const identity = {
  name: z.string().regex(/^[A-Za-z0-9_.@-]{1,64}$/),
  role: z.enum(["read", "write"]),
};
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);
const credentialsSchema = z.strictObject({
  tokens: z
    .array(z.strictObject({ ...identity, token: z.string().optional(), tokenEnv: variable.optional() }))
    .max(CALLERS_MAX)
    .default([]),
  keys: z
    .array(
      z.strictObject({
        ...identity,
        accessKeyId: z.string().regex(/^[A-Za-z0-9]{16,128}$/),
        secretAccessKey: z.string().optional(),
        secretAccessKeyEnv: variable.optional(),
      }),
    )
    .max(CALLERS_MAX)
    .default([]),
});

/**
 * Reads the file of `--api-credentials`, YAML or JSON: `tokens: [{ name, role: read | write, token | tokenEnv }]`,
 * `keys: [{ name, role, accessKeyId, secretAccessKey | secretAccessKeyEnv }]`.
 * @throws MillraceError ERR_MILLRACE_CONFIG, whose text holds no secret.
 */
export function readCredentials(path: string, environment: NodeJS.ProcessEnv): Credentials {
  const fail = (reason: string): never => {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `The API's credentials in ${path} cannot be used: ${reason}`,
    );
  };
  const { data, error } = credentialsSchema.safeParse(readFile(path, fail));
  if (data === undefined) {
    const places = error.issues.map(({ path: place, code }) => `${place.join(".") || "the file"} (${code})`);
    return fail(
      `${places.join(", ")}. Give tokens: [{ name, role, token }] and keys: [{ name, role, accessKeyId, secretAccessKey }].`,
    );
  }
  const secretOf = (name: string, value: string | undefined, env: string | undefined): string => {
    if ((value === undefined) === (env === undefined)) {
      return fail(`${name} needs its secret once, by value or by the name of a variable of the environment.`);
    }
    const secret = value ?? environment[env ?? ""] ?? fail(`the variable ${env} of ${name} is not set.`);
    if (Buffer.byteLength(secret) < SECRET_BYTES_MIN) {
      return fail(
        `the secret of ${name} has fewer than ${SECRET_BYTES_MIN} bytes. Make one with openssl rand -hex 32.`,
      );
    }
    return secret;
  };
  if (data.tokens.length + data.keys.length === 0) fail("it names nobody.");
  const ids = data.keys.map(({ accessKeyId }) => accessKeyId);
  if (new Set(ids).size < ids.length) fail("two keys have the same accessKeyId.");
  return {
    tokens: data.tokens.map(({ name, role, token, tokenEnv }) => {
      return { hash: sha256(secretOf(name, token, tokenEnv)), caller: { name, role } };
    }),
    keys: data.keys.map(({ name, role, accessKeyId, secretAccessKey, secretAccessKeyEnv }) => {
      const secret = secretOf(name, secretAccessKey, secretAccessKeyEnv);
      return { accessKeyId, secret, caller: { name, role } };
    }),
  };
}

export function sha256(text: string | Buffer): Buffer {
  return createHash("sha256").update(text).digest();
}

function readFile(path: string, fail: (reason: string) => never): unknown {
  let text: string;
  try {
    if (statSync(path).size > FILE_BYTES_MAX) fail(`it has more than ${FILE_BYTES_MAX} bytes.`);
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    return fail(describeError(error));
  }
  const { documents, problems } = parseYamlDocuments(text);
  const [problem] = problems;
  // The parser's own text may show a part of the line.
  if (problem !== undefined) return fail(`the YAML is not valid at line ${problem.place?.line ?? 1}.`);
  return documents.length === 1 ? documents[0]?.value : fail("it is not one document.");
}
