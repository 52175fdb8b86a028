import assert from "node:assert/strict";
import { test } from "node:test";
import { Sha256 } from "@smithy/core/checksum";
import { HttpRequest } from "@smithy/core/protocols";
import { SignatureV4 } from "@smithy/signature-v4";
import { RequestSigner, type SigningCredentials } from "../../../src/aws/request-signer.ts";

const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const BODY = Buffer.from('{"QueueUrl":"http://q","é":1}');
const SIGNING_DATE = new Date("2015-08-30T12:36:00.123Z");

function request(path: string, headers: Readonly<Record<string, string>>, body: string | Buffer) {
  return new HttpRequest({
    method: "POST",
    path,
    headers: { host: "example.amazonaws.com", ...headers },
    body,
  });
}

test("signs as AWS's published example says", async () => {
  const signer = new RequestSigner("us-east-1", "sqs", async () => KEYS);
  const options = { signingDate: SIGNING_DATE, signingService: "service" };
  const { headers } = await signer.sign(request("/", {}, ""), options);
  assert.equal(headers["x-amz-date"], "20150830T123600Z");
  assert.equal(
    headers["authorization"],
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, " +
      "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  );
});

const CASES: readonly (readonly [string, SigningCredentials, string, Readonly<Record<string, string>>])[] = [
  ["a plain call", KEYS, "/", { "x-amz-target": "AmazonSQS.ReceiveMessage", "content-length": "30" }],
  ["credentials of a role", { ...KEYS, sessionToken: "token/+=" }, "/", {}],
  ["an endpoint with a path", KEYS, "/a%20b/c(d)*e~f/", {}],
  ["spaces in headers", KEYS, "/", { "x-amz-odd": "  a   b " }],
  ["headers that change on the way", KEYS, "/", { "user-agent": "x", "x-amzn-trace-id": "Root=1" }],
  ["names in mixed case", KEYS, "/", { "X-Amz-Z": "1", "x-amz-a": "2", "Content-Type": "text/plain" }],
];

for (const [what, credentials, path, headers] of CASES) {
  test(`signs ${what} as the SDK's own signer does`, async () => {
    const sdk = new SignatureV4({
      credentials: { ...credentials },
      region: "eu-west-1",
      service: "sqs",
      sha256: Sha256,
      applyChecksum: false,
    });
    const own = new RequestSigner("eu-west-1", "sqs", async () => credentials);
    const wanted = await sdk.sign(request(path, headers, BODY), { signingDate: SIGNING_DATE });
    const signed = await own.sign(request(path, headers, BODY), { signingDate: SIGNING_DATE });
    assert.equal(signed.headers["authorization"], wanted.headers["authorization"]);
    assert.equal(signed.headers["x-amz-security-token"], wanted.headers["x-amz-security-token"]);
  });
}

test("takes new credentials, and a new day, from the next request on", async () => {
  let credentials: SigningCredentials = KEYS;
  const kept = new RequestSigner("eu-west-1", "sqs", async () => credentials);
  const nextDay = new Date("2015-08-31T00:00:00Z");
  for (const [secretAccessKey, signingDate] of [
    ["one", SIGNING_DATE],
    ["two", SIGNING_DATE],
    ["two", nextDay],
  ] as const) {
    credentials = { ...KEYS, secretAccessKey };
    const fresh = new RequestSigner("eu-west-1", "sqs", async () => ({ ...KEYS, secretAccessKey }));
    const signed = await kept.sign(request("/", {}, BODY), { signingDate });
    const wanted = await fresh.sign(request("/", {}, BODY), { signingDate });
    assert.equal(signed.headers["authorization"], wanted.headers["authorization"]);
  }
});
