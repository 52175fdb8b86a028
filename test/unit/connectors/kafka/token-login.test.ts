import assert from "node:assert/strict";
import { generateKeyPairSync, verify } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import type { BearerSasl } from "../../../../connectors/kafka/access.ts";
import { KafkaFault } from "../../../../connectors/kafka/fault.ts";
import { createIamSasl, createWebIdentitySasl } from "../../../../connectors/kafka/iam-login.ts";
import { bearerMechanism } from "../../../../connectors/kafka/oauth-bearer.ts";
import { readAccess } from "../../../../connectors/kafka/secrets.ts";
import type { SourceAccess } from "../../../../connectors/kafka/settings.ts";
import { createTokenSasl } from "../../../../connectors/kafka/token-cache.ts";
import { RotatingCredentials } from "../../../../src/aws/credentials.ts";
import { Secret } from "../../../../src/secrets/secret.ts";
import { startTokenEndpoint } from "./token-endpoint.ts";

const CANARY = "canary-7f3a-do-not-show";
const OAUTH: SourceAccess = { type: "OAUTHBEARER_AUTH", uri: "env:OAUTH" };
const token = (value: string, seconds?: number) => ({
  status: 200,
  body: JSON.stringify({ access_token: value, token_type: "Bearer", expires_in: seconds }),
});

async function login(secret: object, ...more: SourceAccess[]): Promise<BearerSasl> {
  const { sasl, tls } = await readAccess(
    { access: [OAUTH, ...more], eventSourceArn: undefined, bootstrapServers: ["kafka:9093"] },
    { OAUTH: JSON.stringify(secret) },
  );
  assert.deepEqual(tls, {}, "a token is never sent without TLS");
  assert.ok(sasl?.mechanism === "OAUTHBEARER");
  return sasl;
}

test("asks the token endpoint by client credentials, with scope and audience, and hands extensions on", async () => {
  await using endpoint = await startTokenEndpoint(token("T1", 600));
  const sasl = await login(
    { oauthTokenEndpointUrl: endpoint.url, oauthClientId: "me:@", oauthClientSecret: CANARY },
    { type: "OAUTHBEARER_SCOPE", uri: "kafka.read" },
    { type: "OAUTHBEARER_AUDIENCE", uri: "brokers" },
    { type: "OAUTHBEARER_LOGICAL_CLUSTER", uri: "lkc-1" },
    { type: "OAUTHBEARER_IDENTITY_POOL", uri: "pool-2" },
  );
  const [first, second] = await Promise.all([sasl.token(), sasl.token()]);
  assert.deepEqual([first.value.reveal(), second.value.reveal()], ["T1", "T1"]);
  assert.deepEqual(first.extensions, { logicalCluster: "lkc-1", identityPoolId: "pool-2" });
  const [request, another] = endpoint.requests;
  assert.equal(another, undefined, "all connections share a token");
  assert.equal(request?.authorization, `Basic ${Buffer.from(`me%3A%40:${CANARY}`).toString("base64")}`);
  assert.deepEqual(Object.fromEntries(request?.fields ?? []), {
    grant_type: "client_credentials",
    scope: "kafka.read",
    audience: "brokers",
  });
});

test("signs an assertion with the private key when the secret has one", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await using endpoint = await startTokenEndpoint(token("T1", 600));
  const sasl = await login({
    oauthTokenEndpointUrl: endpoint.url,
    oauthClientId: "client",
    oauthClientEmail: "me@example.com",
    oauthPrivateKey: privateKey.export({ type: "pkcs8", format: "pem" }),
    oauthTokenExpirationSeconds: 120,
  });
  await sasl.token();
  const fields = endpoint.requests[0]?.fields;
  assert.equal(fields?.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
  const [head = "", claims = "", signature = ""] = fields?.get("assertion")?.split(".") ?? [];
  const json = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  assert.deepEqual(json(head), { alg: "ES256", typ: "JWT" });
  const { iss, sub, aud, iat, exp } = json(claims);
  assert.deepEqual([iss, sub, aud, exp - iat], ["me@example.com", "me@example.com", endpoint.url, 120]);
  const key = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
  assert.ok(verify("sha256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url")));
});

const refusals: readonly (readonly [string, { status: number; body: string; location?: string }, RegExp])[] =
  [
    [
      "a refusal with its code",
      { status: 401, body: `{"error":"invalid_client","x":"${CANARY}"}` },
      /401, invalid_client/,
    ],
    ["a refusal that quotes the secret", { status: 400, body: `{"error":"${CANARY} !"}` }, /HTTP 400\)/],
    ["a redirect to another place", { status: 302, body: "", location: "http://127.0.0.1:1/" }, /HTTP 302/],
    ["a failure of the endpoint", { status: 503, body: CANARY }, /no answer \(HTTP 503\)/],
    ["an answer that is too large", { status: 200, body: "x".repeat(200_000) }, /TOO_LARGE/],
    ["an answer without a token", { status: 200, body: "[]" }, /no_access_token/],
    ["a token that would break out of its place", { ...token("a\x01auth=b") }, /no_access_token/],
  ];
for (const [name, answer, expected] of refusals) {
  test(`${name}: told by the endpoint's host, without what was sent`, async () => {
    await using endpoint = await startTokenEndpoint(answer);
    const sasl = await login({
      oauthTokenEndpointUrl: endpoint.url,
      oauthClientId: "me",
      oauthClientSecret: CANARY,
    });
    await assert.rejects(sasl.token(), (error) => {
      assert.ok(error instanceof KafkaFault);
      assert.match(error.message, expected);
      return error.message.includes("127.0.0.1:") && !inspect(error, { depth: 9 }).includes(CANARY);
    });
    assert.equal(endpoint.requests.length, 1);
  });
}

const LOGIN = { oauthTokenEndpointUrl: "https://idp/token", oauthClientId: "me" };
const secrets: readonly (readonly [string, object, RegExp])[] = [
  ["without a grant", LOGIN, /no text "oauthClientEmail"/],
  ["of two grants", { ...LOGIN, oauthClientSecret: CANARY, oauthPrivateKey: CANARY }, /two grants/],
  [
    "with a plain URL",
    { ...LOGIN, oauthTokenEndpointUrl: "http://idp/", oauthClientSecret: CANARY },
    /no HTTPS URL/,
  ],
  [
    "with a login in its URL",
    { ...LOGIN, oauthTokenEndpointUrl: `https://a:${CANARY}@b/`, oauthClientSecret: "s" },
    /URL/,
  ],
  ["with a key that is none", { ...LOGIN, oauthClientEmail: "e", oauthPrivateKey: CANARY }, /no private key/],
];
for (const [name, secret, expected] of secrets) {
  test(`a secret ${name} is refused before anything is sent`, async () => {
    await assert.rejects(login(secret), (error) => {
      const text = inspect(error, { depth: 9 });
      return expected.test(text) && text.includes("ERR_MILLRACE_CONFIG") && !text.includes(CANARY);
    });
  });
}

test("renews a token before it ends, and uses the old one while the endpoint fails", async () => {
  let [nowMs, given, fails] = [0, 0, false];
  const sasl = createTokenSasl({
    username: "me",
    extensions: {},
    now: () => nowMs,
    fetch: async () => {
      if (fails) throw new Error("away");
      return { value: `T${++given}`, lifeMs: 100_000 };
    },
  });
  const at = async (ms: number) => {
    nowMs = ms;
    return (await sasl.token()).value.reveal();
  };
  assert.deepEqual([await at(0), await at(79_000), await at(81_000)], ["T1", "T1", "T2"]);
  fails = true;
  assert.equal(await at(81_000 + 90_000), "T2");
  await assert.rejects(at(81_000 + 100_000), /away/);
  fails = false;
  assert.equal(await at(300_000), "T3");
  sasl.refused();
  assert.equal(await at(300_001), "T4", "a refused token is not offered again");
});

test("a broker that refuses a token by its answer is not taken for one that takes it", async () => {
  const steps: Buffer[] = [];
  let refusals = 0;
  const sasl: BearerSasl = {
    mechanism: "OAUTHBEARER",
    username: "me",
    token: async () => ({ value: new Secret(CANARY), extensions: { logicalCluster: "lkc-1" } }),
    refused: () => refusals++,
  };
  const mechanism = bearerMechanism(sasl) as {
    authenticationProvider(broker: object): { authenticate(): Promise<void> };
  };
  const brokerWith = (answer: string) => ({
    host: "b",
    port: 9,
    async saslAuthenticate({
      request,
      response,
    }: {
      request: { encode(): Promise<Buffer> };
      response: { decode(b: Buffer): Promise<string> };
    }) {
      steps.push((await request.encode()).subarray(4));
      return await response.decode(Buffer.concat([Buffer.alloc(4), Buffer.from(answer)]));
    },
  });
  await mechanism.authenticationProvider(brokerWith("")).authenticate();
  assert.equal(steps[0]?.toString(), `n,,\x01auth=Bearer ${CANARY}\x01logicalCluster=lkc-1\x01\x01`);
  await assert.rejects(
    mechanism.authenticationProvider(brokerWith('{"status":"invalid_token"}')).authenticate(),
    (error) =>
      /refused the OAuth 2.0 token \(invalid_token\)/.test(String(error)) && !inspect(error).includes(CANARY),
  );
  assert.deepEqual([steps[2]?.toString("latin1"), refusals], ["\x01", 1]);
});

const CREDENTIALS = { accessKeyId: "AKID", secretAccessKey: CANARY, sessionToken: "ST" };

test("IAM of MSK: the token is a signed URL, made anew for each login, in the form of AWS's signers", async () => {
  let nowMs = Date.UTC(2026, 10, 30, 18);
  const sasl = createIamSasl({
    region: "eu-west-1",
    credentials: new RotatingCredentials(async () => CREDENTIALS),
    epochMs: () => nowMs,
  });
  const read = async () => new URL(Buffer.from((await sasl.token()).value.reveal(), "base64url").toString());
  const url = await read();
  assert.equal(url.host, "kafka.eu-west-1.amazonaws.com");
  assert.deepEqual(
    ["Action", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Credential", "X-Amz-Security-Token"].map((name) =>
      url.searchParams.get(name),
    ),
    [
      "kafka-cluster:Connect",
      "20261130T180000Z",
      "900",
      "AKID/20261130/eu-west-1/kafka-cluster/aws4_request",
      "ST",
    ],
  );
  assert.equal([...url.searchParams.keys()].at(-1), "User-Agent");
  nowMs += 60_000;
  assert.equal((await read()).searchParams.get("X-Amz-Date"), "20261130T180100Z");
});

test("a web identity token of STS is asked for its audience, and its refusal is told", async () => {
  const body = "<R><WebIdentityToken>a.b.c</WebIdentityToken></R>";
  await using endpoint = await startTokenEndpoint({ status: 200, body });
  const sasl = createWebIdentitySasl({
    region: "eu-west-1",
    audience: "brokers",
    endpoint: endpoint.url,
    credentials: new RotatingCredentials(async () => CREDENTIALS),
  });
  assert.equal((await sasl.token()).value.reveal(), "a.b.c");
  const [request] = endpoint.requests;
  assert.match(
    request?.authorization ?? "",
    /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/sts\/aws4_request/,
  );
  assert.equal(request?.fields.get("Audience.member.1"), "brokers");
  sasl.refused();
  endpoint.answers = [{ status: 403, body: "<Error><Code>AccessDenied</Code></Error>" }];
  await assert.rejects(sasl.token(), /HTTP 403, AccessDenied.*sts:GetWebIdentityToken/s);
});

test("no credentials of AWS: the reason says where they would come from", async () => {
  const credentials = new RotatingCredentials(() => Promise.reject(new Error(CANARY)));
  await assert.rejects(createIamSasl({ region: "r", credentials }).token(), (error) => {
    assert.ok(error instanceof KafkaFault);
    return (
      error.reason === "authentication" && /role/.test(error.message) && !inspect(error).includes(CANARY)
    );
  });
});

test("MSK's IAM ports log in by IAM in the cluster's region, unless something stronger is given", async () => {
  const arn = "arn:aws:kafka:eu-north-1:123456789012:cluster/a/b-1";
  for (const port of [9098, 9198]) {
    const place = { access: [], eventSourceArn: arn, bootstrapServers: [`b-1:${port}`] };
    const access = await readAccess(place, {});
    assert.deepEqual([access.tls, access.sasl?.username], [{}, "IAM"]);
  }
  const access: SourceAccess[] = [{ type: "SASL_SCRAM_512_AUTH", uri: "env:L" }];
  const strong = await readAccess(
    { access, eventSourceArn: arn, bootstrapServers: ["b-1:9098"] },
    { L: '{"username":"me","password":"p"}' },
  );
  assert.equal(strong.sasl?.mechanism, "SCRAM-SHA-512");
  const own = { access: [{ type: "IAM_AUTH", uri: "" }] as const, eventSourceArn: undefined };
  await assert.rejects(readAccess({ ...own, bootstrapServers: ["b:9098"] }, {}), /Set AWS_REGION/);
  await readAccess({ ...own, bootstrapServers: ["b-1.x.c2.kafka.eu-west-1.amazonaws.com:9098"] }, {});
});
