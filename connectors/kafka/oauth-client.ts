import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { createSecureContext } from "node:tls";
import { MillraceError } from "../../src/model/errors.ts";
import { isLoopbackHost } from "../../src/network/reachable-address.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { SecretDocument } from "../../src/secrets/source-access.ts";
import { KafkaFault } from "./fault.ts";
import { callHttp, type HttpAnswer, HttpCallFault } from "./http-call.ts";
import type { GivenToken } from "./token-cache.ts";

/** AWS's secret of `OAUTHBEARER_AUTH` (kafka §6). */
export interface OAuthLogin {
  readonly endpoint: URL;
  readonly clientId: string;
  readonly grant: ClientCredentials | JwtBearer;
  /** PEM. */
  readonly ca: string | undefined;
}

interface ClientCredentials {
  readonly kind: "clientCredentials";
  readonly secret: Secret;
}

interface JwtBearer {
  readonly kind: "jwtBearer";
  readonly email: string;
  readonly key: KeyObject;
  readonly lifeSeconds: number;
}

export interface TokenWishes {
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
}

export const OAUTH_FORM =
  '{"oauthTokenEndpointUrl": HTTPS URL, "oauthClientId": TEXT, and either "oauthClientSecret": TEXT or ' +
  '"oauthClientEmail": TEXT and "oauthPrivateKey": PEM}';
const TYPE = "OAUTHBEARER_AUTH";
const CALL_TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 128 * 1024;
const TOKEN_CHARS_MAX = 64 * 1024;
const ASSERTION_SECONDS = 300;
const ASSERTION_SECONDS_MAX = 3_600;

/** @throws ERR_MILLRACE_CONFIG when something is missing, or is of both ways to get a token. */
export function readOAuthLogin(secret: SecretDocument): OAuthLogin {
  const clientSecret = secret.optionalText("oauthClientSecret");
  const email = secret.optionalText("oauthClientEmail");
  const key = secret.optionalText("oauthPrivateKey");
  if (clientSecret !== undefined && (email !== undefined || key !== undefined)) {
    throw badSecret("has the fields of two grants: a client secret, and an e-mail or a private key");
  }
  const grant: OAuthLogin["grant"] =
    clientSecret === undefined
      ? {
          kind: "jwtBearer",
          email: secret.text("oauthClientEmail"),
          key: keyOf(new Secret(secret.text("oauthPrivateKey"))),
          lifeSeconds: assertionSeconds(secret.optionalValue("oauthTokenExpirationSeconds")),
        }
      : { kind: "clientCredentials", secret: new Secret(clientSecret) };
  return {
    endpoint: endpointOf(secret.text("oauthTokenEndpointUrl")),
    clientId: secret.text("oauthClientId"),
    grant,
    ca: secret.optionalText("oauthIdpCaCertificate"),
  };
}

/** @throws KafkaFault: `authentication` when the endpoint refuses, `unreachable` when there is no answer. */
export async function fetchToken(
  login: OAuthLogin,
  wishes: TokenWishes,
  epochMs: () => number = Date.now,
): Promise<GivenToken> {
  const { endpoint, ca } = login;
  let answer: HttpAnswer;
  try {
    answer = await callHttp({
      url: endpoint,
      method: "POST",
      headers: {
        accept: "application/json",
        "content-type": "application/x-www-form-urlencoded",
        ...authorization(login),
      },
      body: form(login, wishes, epochMs()),
      tls: ca === undefined ? undefined : createSecureContext({ ca, minVersion: "TLSv1.2" }),
      bytesMax: ANSWER_BYTES_MAX,
      timeoutMs: CALL_TIMEOUT_MS,
    });
  } catch (error) {
    throw unreachable(endpoint, error instanceof HttpCallFault ? error.code : "ERROR");
  }
  const { status } = answer;
  const members = membersOf(answer.body);
  // Only the code of the answer is shown: its texts may quote what was sent.
  if (status >= 400 && status < 500 && status !== 429) throw refused(endpoint, status, members["error"]);
  if (status !== 200) throw unreachable(endpoint, `HTTP ${status}`);
  const { access_token: token, expires_in: seconds } = members;
  if (typeof token !== "string" || token.length > TOKEN_CHARS_MAX || !/^[\x21-\x7e]+$/.test(token))
    throw refused(endpoint, status, "no_access_token");
  const life = Number(seconds);
  return { value: token, lifeMs: life > 0 ? life * 1000 : lifeOfJwt(token, epochMs()) };
}

/** The client names itself in the header, as every server must take it (RFC 6749, section 2.3.1). */
function authorization({ clientId, grant }: OAuthLogin): { authorization?: string } {
  if (grant.kind !== "clientCredentials") return {};
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(grant.secret.reveal())}`;
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function form({ clientId, endpoint, grant }: OAuthLogin, wishes: TokenWishes, epochMs: number): string {
  const fields = new URLSearchParams();
  if (grant.kind === "clientCredentials") fields.set("grant_type", "client_credentials");
  else {
    fields.set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    fields.set("client_id", clientId);
    fields.set("assertion", assertionOf(grant, endpoint, wishes, epochMs));
  }
  if (wishes.scope !== undefined) fields.set("scope", wishes.scope);
  if (wishes.audience !== undefined) fields.set("audience", wishes.audience);
  return fields.toString();
}

/** RFC 7523, section 3. */
function assertionOf(
  { email, key, lifeSeconds }: JwtBearer,
  endpoint: URL,
  { scope }: TokenWishes,
  epochMs: number,
): string {
  const now = Math.floor(epochMs / 1000);
  const isEllipticCurve = key.asymmetricKeyType === "ec";
  const head = { alg: isEllipticCurve ? "ES256" : "RS256", typ: "JWT" };
  const claims = { iss: email, sub: email, aud: endpoint.href, iat: now, exp: now + lifeSeconds, scope };
  const text = `${base64(JSON.stringify(head))}.${base64(JSON.stringify(claims))}`;
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64url");
}

/** By this host's clock, which may be off: the broker says whether a token is good. */
function lifeOfJwt(token: string, epochMs: number): number | undefined {
  const claims = membersOf(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  const end = claims["exp"];
  return typeof end === "number" && end * 1000 > epochMs ? end * 1000 - epochMs : undefined;
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopbackHost(url.hostname));
  if (url === undefined || !isSafe || url.username !== "" || url.password !== "")
    throw badSecret('has no HTTPS URL "oauthTokenEndpointUrl"');
  return url;
}

function keyOf(pem: Secret): KeyObject {
  try {
    const key = createPrivateKey(pem.reveal());
    if (key.asymmetricKeyType === "rsa" || key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  } catch {
    // Below: the parser's own message may quote the key.
  }
  throw badSecret('has no private key of RSA or of the curve P-256 in PEM as "oauthPrivateKey"');
}

function assertionSeconds(value: unknown): number {
  if (value === undefined) return ASSERTION_SECONDS;
  const seconds = Number(value);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= ASSERTION_SECONDS_MAX) return seconds;
  throw badSecret(`has no whole number from 1 to ${ASSERTION_SECONDS_MAX} as "oauthTokenExpirationSeconds"`);
}

function badSecret(problem: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `The secret for ${TYPE} ${problem}. It must be ${OAUTH_FORM}.`,
  );
}

function refused(endpoint: URL, status: number, code: unknown): KafkaFault {
  const said = typeof code === "string" && /^[a-z_]{1,60}$/.test(code) ? `, ${code}` : "";
  return new KafkaFault(
    "authentication",
    `The token endpoint ${endpoint.host} gave no token (HTTP ${status}${said}). Look at client, secret or key, scope and ` +
      `audience of ${TYPE}, and at its URL.`,
    { processingResult: "SASL authentication failed", endpoint: endpoint.host },
  );
}

function unreachable(endpoint: URL, code: string): KafkaFault {
  return new KafkaFault(
    "unreachable",
    `The token endpoint ${endpoint.host} gave no answer (${code}). Logins at the brokers wait for it.`,
    { endpoint: endpoint.host },
  );
}

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
