import { createHmac, hash } from "node:crypto";
import type { HttpRequest } from "./lean-http.ts";

/** The credentials that sign a request, as the SDK provides them. */
export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What the SDK says of a request that is to be signed: the service's time as it knows it, and the endpoint's scope. */
interface SigningOptions {
  readonly signingDate?: Date | number | string | undefined;
  readonly signingRegion?: string | undefined;
  readonly signingService?: string | undefined;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
/** What others on the way may change. */
const UNSIGNED: ReadonlySet<string> = new Set(["authorization", "user-agent", "x-amzn-trace-id"]);

/**
 * Signature Version 4 of requests whose body is in memory and whose query is empty, as in AWS's JSON protocols. The
 * SDK's signer derives a key only to look its key up, and costs a tenth of a call more (decision 0015).
 */
export class RequestSigner {
  readonly #region: string;
  readonly #service: string;
  readonly #credentials: () => Promise<SigningCredentials>;
  #keyName = "";
  #key: Buffer = Buffer.alloc(0);

  constructor(region: string, service: string, credentials: () => Promise<SigningCredentials>) {
    this.#region = region;
    this.#service = service;
    this.#credentials = credentials;
  }

  async sign<R extends Pick<HttpRequest, "method" | "path" | "headers" | "body">>(
    request: R,
    {
      signingDate = new Date(),
      signingRegion = this.#region,
      signingService = this.#service,
    }: SigningOptions = {},
  ): Promise<R> {
    const credentials = await this.#credentials();
    const time = new Date(signingDate)
      .toISOString()
      .replace(/\.\d+Z$/, "Z")
      .replace(/[-:]/g, "");
    const scope = `${time.slice(0, 8)}/${signingRegion}/${signingService}/aws4_request`;
    const { headers } = request;
    headers["x-amz-date"] = time;
    if (credentials.sessionToken !== undefined) headers["x-amz-security-token"] = credentials.sessionToken;
    const signed = signedOf(headers);
    const names = signed.map(([name]) => name).join(";");
    const lines = signed.map(([name, value]) => `${name}:${value}`).join("\n");
    const path = canonicalPath(request.path);
    const canonical = [request.method, path, "", lines, "", names, sha256(request.body)].join("\n");
    const toSign = `${ALGORITHM}\n${time}\n${scope}\n${sha256(canonical)}`;
    const signature = createHmac("sha256", this.#keyOf(credentials, scope)).update(toSign).digest("hex");
    headers["authorization"] =
      `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    return request;
  }

  /** The key of a day, kept until the day or the credentials change. */
  #keyOf({ secretAccessKey }: SigningCredentials, scope: string): Buffer {
    const keyName = `${scope} ${secretAccessKey}`;
    if (keyName !== this.#keyName) {
      let key: string | Buffer = `AWS4${secretAccessKey}`;
      for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
      this.#key = Buffer.from(key);
      this.#keyName = keyName;
    }
    return this.#key;
  }
}

/** Names and values in the order of the names. */
function signedOf(headers: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  const signed: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!UNSIGNED.has(lower)) signed.push([lower, value.trim().replace(/\s+/g, " ")]);
  }
  return signed.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Escapes each segment of an endpoint's path once more; it is escaped once already. */
function canonicalPath(path: string): string {
  if (path === "/") return path;
  return path
    .split("/")
    .map((segment) =>
      encodeURIComponent(segment).replace(
        /[!'()*]/g,
        (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
      ),
    )
    .join("/");
}

function sha256(data: string | Uint8Array): string {
  return hash("sha256", data, "hex");
}
