import { resolve } from "node:path";

/** AWS's bound (kafka §6). */
const SOURCE_ACCESS_URI_CHARS_MAX = 200;
/** The ARN of a secret in AWS Secrets Manager (kafka §6). */
const SECRET_ARN = /^arn:[a-z0-9-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+$/;

export type SecretUri =
  /** `file:` with an absolute path, `env:` with a name, or the ARN of a secret. */
  { readonly kind: "reference"; readonly uri: string } | { readonly kind: "fault"; readonly problem: string };

/**
 * Reads a text that says where a secret stands: `file:PATH`, relative to `folder`, `env:NAME`, or the ARN of a secret,
 * which stands in the file that MILLRACE_SECRETS_FILE names. What is said of a bad one does not repeat it: it may be
 * the secret itself.
 */
export function parseSecretUri(text: string, folder: string): SecretUri {
  if (text.length > SOURCE_ACCESS_URI_CHARS_MAX) {
    return { kind: "fault", problem: `The text has more than ${SOURCE_ACCESS_URI_CHARS_MAX} characters` };
  }
  if (SECRET_ARN.test(text)) return { kind: "reference", uri: text };
  if (/^env:[A-Za-z_][A-Za-z0-9_]*$/.test(text)) return { kind: "reference", uri: text };
  const path = /^file:(.+)$/s.exec(text)?.[1]?.replace(/^\/\/(?=\/)/, "");
  if (path === undefined || path.includes("\0"))
    return { kind: "fault", problem: "The text does not say where the secret stands" };
  return { kind: "reference", uri: `file:${resolve(folder, path)}` };
}
