import type { AwsCredentials, RotatingCredentials } from "../../src/aws/credentials.ts";
import { presignedUrl } from "../../src/aws/presigned-query.ts";
import { processCredentials } from "../../src/aws/process-credentials.ts";
import { RequestSigner } from "../../src/aws/request-signer.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { BearerSasl } from "./access.ts";
import { KafkaFault } from "./fault.ts";
import { callHttp, HttpCallFault } from "./http-call.ts";
import { createTokenSasl, type GivenToken } from "./token-cache.ts";

export interface IamOptions {
  readonly region: string;
  readonly credentials?: RotatingCredentials;
  readonly epochMs?: () => number;
}

/** MSK takes a token no longer than this after it was signed; AWS's signers say the same. */
const MSK_TOKEN_SECONDS = 900;
const STS_TIMEOUT_MS = 10_000;
const STS_BYTES_MAX = 128 * 1024;
const STS_TOKEN_SECONDS = 300;
const USER_AGENT = "millrace";

/**
 * The login of Amazon MSK's IAM over SASL/OAUTHBEARER: the token is a signed URL of `kafka-cluster:Connect`, made anew
 * for each login without a call, as AWS's own signers for Kafka clients make it.
 */
export function createIamSasl({
  region,
  credentials = processCredentials(),
  epochMs = Date.now,
}: IamOptions): BearerSasl {
  return {
    mechanism: "OAUTHBEARER",
    username: "IAM",
    async token() {
      const known = await credentialsOf(credentials);
      const place = {
        host: `kafka.${region}.amazonaws.com`,
        region,
        service: "kafka-cluster",
        query: { Action: "kafka-cluster:Connect" },
        expiresIn: MSK_TOKEN_SECONDS,
      };
      // AWS's signers add who they are behind the signature.
      const url = `${presignedUrl(place, known, epochMs())}&User-Agent=${USER_AGENT}`;
      return { value: new Secret(Buffer.from(url).toString("base64url")), extensions: {} };
    },
    refused() {
      void credentials.refused(credentials.current).catch(() => undefined);
    },
  };
}

export interface WebIdentityOptions extends IamOptions {
  readonly audience: string;
  /** Default: STS of the region. */
  readonly endpoint?: string | undefined;
}

/** The login by a token that AWS signs for a role (`sts:GetWebIdentityToken`), for brokers that trust AWS as issuer. */
export function createWebIdentitySasl(options: WebIdentityOptions): BearerSasl {
  const { credentials = processCredentials() } = options;
  const sasl = createTokenSasl({
    username: "IAM_OAUTHBEARER_AUTH",
    extensions: {},
    fetch: () => webIdentityToken({ ...options, credentials }),
  });
  return sasl;
}

async function webIdentityToken(
  options: WebIdentityOptions & { readonly credentials: RotatingCredentials },
): Promise<GivenToken> {
  const { region, audience, credentials } = options;
  const url = new URL(options.endpoint ?? `https://sts.${region}.amazonaws.com/`);
  const used = await credentialsOf(credentials);
  const signer = new RequestSigner(region, "sts", async () => used, options.epochMs);
  const body = new URLSearchParams({
    Action: "GetWebIdentityToken",
    Version: "2011-06-15",
    "Audience.member.1": audience,
    DurationSeconds: String(STS_TOKEN_SECONDS),
    SigningAlgorithm: "RS256",
  }).toString();
  const headers = [
    ["content-type", "application/x-www-form-urlencoded"],
    ["host", url.host],
  ] as const;
  const signed = await signer.headersOf({ path: url.pathname, region, service: "sts", headers }, body);
  const answer = await callHttp({
    url,
    method: "POST",
    headers: Object.fromEntries(
      signed.flatMap((name, at) => (at % 2 === 0 ? [[name, signed[at + 1] ?? ""]] : [])),
    ),
    body,
    bytesMax: STS_BYTES_MAX,
    timeoutMs: STS_TIMEOUT_MS,
  }).catch((error: unknown) => {
    throw withoutAnswer(url, error instanceof HttpCallFault ? error.code : "ERROR");
  });
  if (answer.status >= 500) throw withoutAnswer(url, `HTTP ${answer.status}`);
  const token = /<WebIdentityToken>([A-Za-z0-9_.-]+)<\/WebIdentityToken>/.exec(answer.body)?.[1];
  if (answer.status === 200 && token !== undefined) return { value: token, lifeMs: STS_TOKEN_SECONDS * 1000 };
  await credentials.refused(used);
  const code = /<Code>([A-Za-z0-9.]{1,80})<\/Code>/.exec(answer.body)?.[1] ?? "no code";
  throw new KafkaFault(
    "authentication",
    `AWS STS gave no web identity token (HTTP ${answer.status}, ${code}). The credentials of this process need ` +
      "sts:GetWebIdentityToken, and the account outbound identity federation.",
    { processingResult: "SASL authentication failed", endpoint: url.host },
  );
}

function withoutAnswer(url: URL, code: string): KafkaFault {
  return new KafkaFault(
    "unreachable",
    `AWS STS at ${url.host} gave no answer (${code}). Logins at the brokers wait for it.`,
    { endpoint: url.host },
  );
}

async function credentialsOf(credentials: RotatingCredentials): Promise<AwsCredentials> {
  try {
    return await credentials.get();
  } catch {
    // The SDK's own message may name files and servers of this machine.
    throw new KafkaFault(
      "authentication",
      "This process has no AWS credentials, which IAM needs to log in at the brokers. Give them as the AWS SDK reads " +
        "them: by environment variables, a profile, a role of the machine or of the pod.",
      { processingResult: "SASL authentication failed" },
    );
  }
}
