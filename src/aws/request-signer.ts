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

/** Where requests of a kind go; headers by their names' order, without those of one request alone. */
interface SignedPlace {
  readonly path: string;
  readonly region: string;
  readonly service: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
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
  readonly #nowMs: () => number;
  #keyName = "";
  #key = new SigningKey(Buffer.alloc(0));
  /** `#time` is the text of this second. */
  #second = Number.NaN;
  #time = "";

  /** `nowMs`: the service's time as far as it is known, for requests that are made by hand. */
  constructor(
    region: string,
    service: string,
    credentials: () => Promise<SigningCredentials>,
    nowMs: () => number = () => Date.now(),
  ) {
    this.#region = region;
    this.#service = service;
    this.#credentials = credentials;
    this.#nowMs = nowMs;
  }

  /** All headers of a POST of `body` to a place, names and values in turn, with the signature among them. */
  async headersOf({ path, region, service, headers }: SignedPlace, body: string): Promise<string[]> {
    const credentials = await this.#credentials();
    const { accessKeyId, sessionToken } = credentials;
    const time = this.#timeNow();
    const all: string[] = [];
    let lines = "";
    let names = "";
    const add = (name: string, value: string) => {
      all.push(name, value);
      lines += `${name}:${value}\n`;
      names += names === "" ? name : `;${name}`;
    };
    let isDated = false;
    const addOwn = () => {
      isDated = true;
      add("x-amz-date", time);
      if (sessionToken !== undefined) add("x-amz-security-token", sessionToken);
    };
    for (const [name, value] of headers) {
      if (!isDated && name > "x-amz-security-token") addOwn();
      add(name, value);
    }
    if (!isDated) addOwn();
    const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
    const canonical = `POST\n${canonicalPath(path)}\n\n${lines}\n${names}\n${sha256(body)}`;
    const toSign = `${ALGORITHM}\n${time}\n${scope}\n${sha256(canonical)}`;
    const signature = this.#keyOf(credentials, scope).sign(toSign);
    all.push(
      "authorization",
      `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    );
    return all;
  }

  #timeNow(): string {
    const second = Math.floor(this.#nowMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#time = timeText(new Date(second * 1000));
    }
    return this.#time;
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
    const time = timeText(new Date(signingDate));
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
    const signature = this.#keyOf(credentials, scope).sign(toSign);
    headers["authorization"] =
      `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    return request;
  }

  /** The key of a day, kept until the day or the credentials change. */
  #keyOf({ secretAccessKey }: SigningCredentials, scope: string): SigningKey {
    const keyName = `${scope} ${secretAccessKey}`;
    if (keyName !== this.#keyName) {
      let key: string | Buffer = `AWS4${secretAccessKey}`;
      for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
      this.#key = new SigningKey(Buffer.from(key));
      this.#keyName = keyName;
    }
    return this.#key;
  }
}

const BLOCK_BYTES = 64;
const HASH_BYTES = 32;

/**
 * HMAC by its definition, of two hashes: an `Hmac` of Node makes objects around its key that cost three times as much
 * as both.
 */
class SigningKey {
  readonly #inner = Buffer.alloc(BLOCK_BYTES, 0x36);
  readonly #outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES, 0x5c);

  /** At most a block. */
  constructor(key: Buffer) {
    key.forEach((byte, index) => {
      this.#inner[index] = 0x36 ^ byte;
      this.#outer[index] = 0x5c ^ byte;
    });
  }

  sign(text: string): string {
    const inner = Buffer.concat([this.#inner, Buffer.from(text)]);
    hash("sha256", inner, "buffer").copy(this.#outer, BLOCK_BYTES);
    return hash("sha256", this.#outer, "hex");
  }
}

/** `20260929T201500Z` */
function timeText(date: Date): string {
  return date
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:]/g, "");
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
