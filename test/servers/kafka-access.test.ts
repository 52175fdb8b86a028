import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";
import type { BearerSasl, KafkaAccess, PasswordSasl } from "../../connectors/kafka/access.ts";
import { KafkaCluster } from "../../connectors/kafka/cluster.ts";
import { type FaultReason, KafkaFault } from "../../connectors/kafka/fault.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { NO_ABORT } from "../contract/stream-source-harness.ts";
import { startKafka } from "./kafka.ts";
import type { KafkaListener } from "./kafka-settings.ts";

const HANG = { timeout: 120_000 };
const server = await startKafka({ secure: true });
after(() => server.close());
await server.admin.createTopics({ topics: [{ topic: "orders", numPartitions: 2 }], waitForLeaders: true });

const { ca, strangeCa, client, strangeClient, encryptedClientKey } = server.certificates;
const user = (mechanism: PasswordSasl["mechanism"], username = "reader", password = "reader-secret") => ({
  mechanism,
  username,
  password: new Secret(password),
});
const bearer = (sub: string, lifeSeconds = 3600): BearerSasl => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Date.now() / 1000;
  return {
    mechanism: "OAUTHBEARER",
    username: sub,
    token: async () => ({
      value: new Secret(
        `${part({ alg: "none" })}.${part({ sub, iat: now - 7200, exp: now + lifeSeconds })}.`,
      ),
      extensions: {},
    }),
    refused() {},
  };
};
const clientTls = {
  ca,
  certificate: client.certificate,
  privateKey: new Secret(client.privateKey),
};

describe("access to Kafka", HANG, () => {
  const accepted: readonly (readonly [string, KafkaListener, KafkaAccess])[] = [
    ["plain text", "PLAINTEXT", {}],
    ["TLS with the cluster's own authority", "TLS", { tls: { ca } }],
    ["a client certificate", "MTLS", { tls: clientTls }],
    [
      "a client certificate whose key has a password",
      "MTLS",
      {
        tls: { ...clientTls, privateKey: new Secret(encryptedClientKey), passphrase: new Secret("keypass") },
      },
    ],
    ["SASL/PLAIN", "SASL_SSL", { tls: { ca }, sasl: user("PLAIN") }],
    ["SCRAM-SHA-256", "SASL_SSL", { tls: { ca }, sasl: user("SCRAM-SHA-256") }],
    ["SCRAM-SHA-512", "SASL_SSL", { tls: { ca }, sasl: user("SCRAM-SHA-512") }],
    ["an OAuth 2.0 token", "SASL_SSL", { tls: { ca }, sasl: bearer("reader") }],
  ];
  for (const [name, listener, access] of accepted) {
    test(`${name} is accepted`, async () => {
      const partitions = await describeTopic(listener, access);
      assert.deepEqual(partitions, [0, 1]);
    });
  }

  const refused: readonly (readonly [
    string,
    KafkaListener,
    KafkaAccess,
    FaultReason,
    string | undefined,
    RegExp,
  ])[] = [
    [
      "a broker whose certificate another authority signed",
      "TLS",
      { tls: { ca: strangeCa } },
      "tls",
      "Lambda failed to authenticate server",
      /SERVER_ROOT_CA_CERTIFICATE/,
    ],
    [
      "a broker whose certificate no public authority signed",
      "TLS",
      { tls: {} },
      "tls",
      "Lambda failed to authenticate server",
      /SERVER_ROOT_CA_CERTIFICATE/,
    ],
    [
      "a broker that wants a client certificate, without one",
      "MTLS",
      { tls: { ca } },
      "tls",
      "Server failed to authenticate Lambda",
      /CLIENT_CERTIFICATE_TLS_AUTH/,
    ],
    [
      "a client certificate of an authority that the broker does not know",
      "MTLS",
      {
        tls: {
          ca,
          certificate: strangeClient.certificate,
          privateKey: new Secret(strangeClient.privateKey),
        },
      },
      "tls",
      "Server failed to authenticate Lambda",
      /CLIENT_CERTIFICATE_TLS_AUTH/,
    ],
    [
      "a private key of another certificate",
      "MTLS",
      { tls: { ...clientTls, privateKey: new Secret(strangeClient.privateKey) } },
      "tls",
      "Provided certificate or private key is invalid",
      /belong together/,
    ],
    ...(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const).map(
      (mechanism) =>
        [
          `a wrong password with ${mechanism}`,
          "SASL_SSL",
          { tls: { ca }, sasl: user(mechanism, "reader", "wrong-secret") },
          "authentication",
          "SASL authentication failed",
          /user name, password and mechanism/,
        ] as const,
    ),
    [
      "an OAuth 2.0 token that has ended",
      "SASL_SSL",
      { tls: { ca }, sasl: bearer("reader", -3600) },
      "authentication",
      "SASL authentication failed",
      /it refused the OAuth 2.0 token \(invalid_token\)/,
    ],
    [
      "an OAuth 2.0 token of somebody without rights on the topic",
      "SASL_SSL",
      { tls: { ca }, sasl: bearer("nobody") },
      "authorization",
      "Cluster failed to authorize Lambda",
      /Describe and Read/,
    ],
    [
      "a user without rights on the topic",
      "SASL_SSL",
      { tls: { ca }, sasl: user("SCRAM-SHA-512", "nobody", "nobody-secret") },
      "authorization",
      "Cluster failed to authorize Lambda",
      /Describe and Read/,
    ],
    ["plain text at a port with TLS", "TLS", {}, "unreachable", undefined, /port without TLS/],
    ["TLS at a port of plain text", "PLAINTEXT", { tls: { ca } }, "unreachable", undefined, /port with TLS/],
  ];
  for (const [name, listener, access, reason, processingResult, advice] of refused) {
    test(`${name}: refused with the reason, and without a secret`, async () => {
      await assert.rejects(
        () => describeTopic(listener, access),
        (error: unknown) => {
          assert.ok(error instanceof KafkaFault);
          assert.equal(error.code, "ERR_MILLRACE_SOURCE_UNAVAILABLE");
          assert.deepEqual([error.reason, error.processingResult], [reason, processingResult]);
          assert.match(error.message, advice);
          assert.doesNotMatch(inspect(error, { depth: 10 }), /-secret|PRIVATE KEY/);
          return true;
        },
      );
    });
  }
});

/** A second a broker takes one renewal: the session of a few seconds is renewed by what is asked, and not lost. */
test("a session that ends after some seconds goes on over one connection", HANG, async () => {
  let tokens = 0;
  const sasl = bearer("reader");
  const counting: BearerSasl = {
    ...sasl,
    async token() {
      tokens++;
      return await sasl.token();
    },
  };
  const cluster = new KafkaCluster({
    bootstrap: server.bootstrap("SASL_SSL"),
    access: { tls: { ca }, sasl: counting },
    clientId: "test",
  });
  try {
    const link = await cluster.anyBroker("control", NO_ABORT);
    const args = { topics: ["orders"], allowAutoTopicCreation: false } as const;
    const options = { signal: NO_ABORT, leavesErrors: true } as const;
    // Asks until the session was renewed twice, each time long after its first end.
    while (tokens < 3) {
      await link.request("Metadata", args, options);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(link.hasFailed, false);
    assert.equal(await cluster.anyBroker("control", NO_ABORT), link);
  } finally {
    cluster.close();
  }
});

async function describeTopic(listener: KafkaListener, access: KafkaAccess): Promise<readonly number[]> {
  const cluster = new KafkaCluster({ bootstrap: server.bootstrap(listener), access, clientId: "test" });
  try {
    return (await cluster.topic("orders", NO_ABORT)).map(({ partition }) => partition);
  } finally {
    cluster.close();
  }
}
