import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { parseYamlDocuments } from "../manifests/yaml-documents.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import { KNOWN_SECRETS } from "../secrets/known-secrets.ts";

/**
 * `read`: figures, states, reasons. `inspect`: keys, record content, texts of functions. `write`: changes and calls.
 * `send`: records into embedded sources. `invoke`: calls of functions by routes whose callers sign. None of them
 * includes another.
 */
export const ROLES = ["read", "inspect", "write", "send", "invoke"] as const;
export type Role = (typeof ROLES)[number];

export interface Caller {
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
}

/** What a single `role` gives: `write` is of those who may do all. */
const GIVEN: Readonly<Record<Role, readonly Role[]>> = {
  read: ["read"],
  inspect: ["read", "inspect"],
  // Who may do all may call as well: routes ask for either.
  write: ["read", "inspect", "write", "send"],
  send: ["send"],
  invoke: ["invoke"],
};

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
  role: z.enum(ROLES).optional(),
  roles: z.array(z.enum(ROLES)).min(1).max(ROLES.length).optional(),
};
interface GivenIdentity {
  readonly name: string;
  readonly role?: Role | undefined;
  readonly roles?: readonly Role[] | undefined;
}
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
 * Reads the file of `--api-credentials`, YAML or JSON: `tokens: [{ name, role | roles, token | tokenEnv }]`,
 * `keys: [{ name, role | roles, accessKeyId, secretAccessKey | secretAccessKeyEnv }]`. `roles: [read, write]` gives
 * exactly those, `role: write` all.
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
    KNOWN_SECRETS.add(secret);
    return secret;
  };
  if (data.tokens.length + data.keys.length === 0) fail("it names nobody.");
  const ids = data.keys.map(({ accessKeyId }) => accessKeyId);
  if (new Set(ids).size < ids.length) fail("two keys have the same accessKeyId.");
  const callerOf = ({ name, role, roles }: GivenIdentity): Caller => {
    if ((role === undefined) === (roles === undefined)) {
      return fail(`${name} needs either role or roles, out of ${ROLES.join(", ")}.`);
    }
    return { name, roles: new Set(roles ?? (role && GIVEN[role])) };
  };
  return {
    tokens: data.tokens.map(({ token, tokenEnv, ...identified }) => {
      const caller = callerOf(identified);
      return { hash: sha256(secretOf(caller.name, token, tokenEnv)), caller };
    }),
    keys: data.keys.map(({ accessKeyId, secretAccessKey, secretAccessKeyEnv, ...identified }) => {
      const caller = callerOf(identified);
      return { accessKeyId, secret: secretOf(caller.name, secretAccessKey, secretAccessKeyEnv), caller };
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
