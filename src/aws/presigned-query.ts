import { createHmac, hash } from "node:crypto";
import type { SigningCredentials } from "./request-signer.ts";

export interface PresignedPlace {
  readonly host: string;
  readonly region: string;
  readonly service: string;
  readonly query: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly expiresIn: number;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/**
 * A GET of `/` whose query has the signature (Signature Version 4), as a URL: who has it may do what it says, for as
 * long as it says. It is a secret.
 */
export function presignedUrl(
  place: PresignedPlace,
  credentials: SigningCredentials,
  epochMs: number,
): string {
  const { host, region, service, query, expiresIn } = place;
  const time = new Date(epochMs)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:]/g, "");
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signed = queryText({
    ...query,
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": `${accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": String(expiresIn),
    "X-Amz-SignedHeaders": "host",
    ...(sessionToken === undefined ? {} : { "X-Amz-Security-Token": sessionToken }),
  });
  const canonical = `GET\n/\n${signed}\nhost:${host}\n\nhost\n${sha256("")}`;
  const toSign = `${ALGORITHM}\n${time}\n${scope}\n${sha256(canonical)}`;
  let key: string | Buffer = `AWS4${secretAccessKey}`;
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  return `https://${host}/?${signed}&X-Amz-Signature=${signature}`;
}

/** In the order of the encoded names. */
function queryText(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join("&");
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return hash("sha256", text, "hex");
}
