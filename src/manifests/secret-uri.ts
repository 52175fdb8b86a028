import { resolve } from "node:path";
import { SOURCE_ACCESS_URI_CHARS_MAX } from "../model/limits.ts";

export type SecretUri =
  /** `file:` with an absolute path, or `env:` with a name. */
  | { readonly kind: "reference"; readonly uri: string }
  | { readonly kind: "fault"; readonly message: string; readonly remedy: string };

/**
 * Reads the `uri` of one of `sourceAccessConfigurations`: `file:PATH`, relative to `folder`, or `env:NAME`. What is said of
 * a bad one does not repeat it: it may be the secret itself.
 */
export function parseSecretUri(text: string, folder: string): SecretUri {
  if (text.length > SOURCE_ACCESS_URI_CHARS_MAX) {
    return fault(`The text has more than ${SOURCE_ACCESS_URI_CHARS_MAX} characters`);
  }
  if (text.startsWith("arn:")) {
    return fault("Secrets of AWS Secrets Manager are not read by this version");
  }
  if (/^env:[A-Za-z_][A-Za-z0-9_]*$/.test(text)) return { kind: "reference", uri: text };
  const path = /^file:(.+)$/s.exec(text)?.[1]?.replace(/^\/\/(?=\/)/, "");
  if (path === undefined || path.includes("\0"))
    return fault("The text does not say where the secret stands");
  return { kind: "reference", uri: `file:${resolve(folder, path)}` };
}

function fault(message: string): SecretUri {
  const remedy =
    "Write the secret, as the JSON that AWS's secret would hold, into a file or an environment variable, and give file:PATH or env:NAME";
  return { kind: "fault", message, remedy };
}
