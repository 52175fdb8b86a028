import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { inspect } from "node:util";
import { readAccess } from "../../../../connectors/kafka/secrets.ts";
import type { SourceAccess } from "../../../../connectors/kafka/settings.ts";
import { describeError } from "../../../../src/model/errors.ts";

const CANARY = "canary-7f3a-do-not-show";

function clusterWith(...access: SourceAccess[]) {
  return { access, eventSourceArn: undefined, bootstrapServers: ["kafka:9093"] };
}

function fileWith(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-secret-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "secret.json"), text);
  return `file:${join(folder, "secret.json")}`;
}

test("reads a login from a file and a certificate authority from the environment", async (t) => {
  const uri = fileWith(t, JSON.stringify({ username: "me", password: CANARY }));
  const access = await readAccess(
    clusterWith({ type: "SASL_SCRAM_512_AUTH", uri }, { type: "SERVER_ROOT_CA_CERTIFICATE", uri: "env:CA" }),
    { CA: '{"certificate":"PEM"}' },
  );
  assert.equal(access.sasl?.username, "me");
  assert.ok(access.sasl?.mechanism === "SCRAM-SHA-512");
  assert.equal(access.sasl.password.reveal(), CANARY);
  assert.deepEqual(access.tls, { ca: "PEM" });
});

const ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:kafka-AbCdEf";

test("reads a secret that is named by its ARN from the file of all secrets", async (t) => {
  const secrets = JSON.stringify({ other: {}, [ARN]: { username: "me", password: CANARY } });
  const path = fileWith(t, secrets).slice("file:".length);
  const { sasl } = await readAccess(clusterWith({ type: "SASL_SCRAM_256_AUTH", uri: ARN }), {
    MILLRACE_SECRETS_FILE: path,
  });
  assert.ok(sasl?.mechanism === "SCRAM-SHA-256");
  assert.deepEqual([sasl.username, sasl.password.reveal()], ["me", CANARY]);
});

test("reads a client certificate with an encrypted key", async () => {
  const secret = JSON.stringify({ certificate: "C", privateKey: CANARY, privateKeyPassword: "P" });
  const { tls, sasl } = await readAccess(
    clusterWith({ type: "CLIENT_CERTIFICATE_TLS_AUTH", uri: "env:CLIENT" }),
    {
      CLIENT: secret,
    },
  );
  assert.equal(sasl, undefined);
  assert.equal(tls?.certificate, "C");
  assert.equal(tls?.privateKey?.reveal(), CANARY);
  assert.equal(tls?.passphrase?.reveal(), "P");
});

test("no way of writing an access out shows its secrets", async () => {
  const login = JSON.stringify({ username: "me", password: CANARY });
  const client = JSON.stringify({ certificate: "C", privateKey: CANARY, privateKeyPassword: CANARY });
  const environment = { LOGIN: login, CLIENT: client };
  const entries: readonly SourceAccess[] = [
    { type: "BASIC_AUTH", uri: "env:LOGIN" },
    { type: "CLIENT_CERTIFICATE_TLS_AUTH", uri: "env:CLIENT" },
  ];
  const access = await readAccess(clusterWith(...entries), environment);
  const { sasl, tls } = access;
  assert.ok(sasl?.mechanism === "PLAIN");
  const shown = [
    inspect(access, { depth: 10, showHidden: true }),
    JSON.stringify(access),
    `${sasl.password} ${tls?.privateKey} ${tls?.passphrase}`,
    String(Object.values(sasl)),
  ];
  for (const text of shown) assert.ok(text.includes("[redacted]") && !text.includes(CANARY), text);
});

test("says what is wrong with a secret without showing any of it", async (t) => {
  const missing = "file:/nowhere/secret.json";
  const secretsFile = (text: string) => ({ MILLRACE_SECRETS_FILE: fileWith(t, text).slice("file:".length) });
  const cases: readonly (readonly [SourceAccess, Record<string, string>, RegExp])[] = [
    [
      { type: "BASIC_AUTH", uri: "env:A" },
      {},
      /The environment variable A, .* is not set\. Set it to \{"username"/,
    ],
    [{ type: "BASIC_AUTH", uri: "env:A" }, { A: CANARY }, /env:A for BASIC_AUTH is not JSON/],
    [{ type: "BASIC_AUTH", uri: "env:A" }, { A: `"${CANARY}"` }, /is not a JSON object/],
    [{ type: "BASIC_AUTH", uri: "env:A" }, { A: `{"username":"${CANARY}"}` }, /has no text "password"/],
    [
      { type: "BASIC_AUTH", uri: "env:A" },
      { A: `{"username":["${CANARY}"],"password":"x"}` },
      /no text "username"/,
    ],
    [
      { type: "SERVER_ROOT_CA_CERTIFICATE", uri: missing },
      {},
      /cannot be read from \/nowhere\/secret\.json \(ENOENT\)/,
    ],
    [
      { type: "CLIENT_CERTIFICATE_TLS_AUTH", uri: fileWith(t, CANARY.repeat(5_000)) },
      {},
      /has more than 65536 bytes/,
    ],
    [{ type: "BASIC_AUTH", uri: ARN }, {}, /MILLRACE_SECRETS_FILE is not set\. Write \{ "arn:aws:secrets/],
    [
      { type: "BASIC_AUTH", uri: ARN },
      { MILLRACE_SECRETS_FILE: "/nowhere/secrets.json" },
      /cannot be read from \/nowhere\/secrets\.json \(ENOENT\)/,
    ],
    [{ type: "BASIC_AUTH", uri: ARN }, secretsFile(`{"other":"${CANARY}"}`), /is not in .*secret\.json/],
    [{ type: "BASIC_AUTH", uri: ARN }, secretsFile(CANARY), /secret\.json, which is not JSON/],
    [{ type: "BASIC_AUTH", uri: ARN }, secretsFile(`{"${ARN}":"${CANARY}"}`), /is not a JSON object/],
    [{ type: "BASIC_AUTH", uri: ARN }, secretsFile(CANARY.repeat(50_000)), /more than 1048576 bytes/],
  ];
  for (const [entry, environment, expected] of cases) {
    await assert.rejects(readAccess(clusterWith(entry), environment), (error) => {
      const text = `${describeError(error)} ${inspect(error)}`;
      return expected.test(text) && text.includes("ERR_MILLRACE_CONFIG") && !text.includes(CANARY);
    });
  }
});

test("without any access a self-managed cluster is reached in plain text, and MSK as its ports say", async () => {
  const arn = "arn:aws:kafka:eu-west-1:123456789012:cluster/a/b-1";
  const msk = (...bootstrapServers: string[]) =>
    readAccess({ access: [], eventSourceArn: arn, bootstrapServers });
  assert.deepEqual(await readAccess(clusterWith()), {});
  assert.deepEqual(await msk("b-1:9092", "b-2:9092"), {});
  assert.deepEqual(await msk("b-1:9094"), { tls: {} });
  assert.deepEqual(await msk("b-1:9092", "b-2:9094"), { tls: {} });
});
