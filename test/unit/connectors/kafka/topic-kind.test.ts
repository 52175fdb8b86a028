import assert from "node:assert/strict";
import { test } from "node:test";
import { topicKind } from "../../../../connectors/kafka/topic-kind.ts";

test("an address of a topic has one spelling, with paths of secrets from the manifest's folder", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["kafka://b1:9092/lost", "kafka://b1:9092/lost"],
    ["kafka://b1:9092,[::1]:9093/lost.a-b_c", "kafka://b1:9092,[::1]:9093/lost.a-b_c"],
    [
      "kafka://b1:9093/lost?SASL_SCRAM_512_AUTH=file:login.json&SERVER_ROOT_CA_CERTIFICATE=env:CA",
      "kafka://b1:9093/lost?SASL_SCRAM_512_AUTH=file:/etc/m/login.json&SERVER_ROOT_CA_CERTIFICATE=env:CA",
    ],
    ["kafka://b1:9093/lost?BASIC_AUTH=file:a%20%26b", "kafka://b1:9093/lost?BASIC_AUTH=file:/etc/m/a%20%26b"],
    ["kafka://b1:9098/lost?IAM_AUTH", "kafka://b1:9098/lost?IAM_AUTH="],
    ["kafka://b1:9092/lost?", "kafka://b1:9092/lost"],
  ];
  for (const [text, uri] of rows) {
    assert.deepEqual(topicKind.read(text, "/etc/m"), { kind: "place", uri }, text);
    assert.deepEqual(topicKind.read(uri, "/elsewhere"), { kind: "place", uri }, `${uri} again`);
  }
});

test("what is no such address is told, and no part of it that may be a secret", () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ["kafka://lost", /names no brokers or no topic/],
    ["kafka:///lost", /names no brokers or no topic/],
    ["kafka://b1:9092/", /names no brokers or no topic/],
    ["kafka://b1/lost", /no address of a broker/],
    ["kafka://b1:9092,/lost", /no address of a broker/],
    ["kafka://me:hunter2@b1:9092/lost", /no address of a broker/],
    ["kafka://b1:9092/.lost", /not the name of a topic/],
    ["kafka://b1:9092/a b", /not the name of a topic/],
    ["kafka://b1:9092/a#b", /names no brokers or no topic/],
    ["kafka://b1:9092/lost?NOBODY=env:A", /A Kafka topic has no NOBODY/],
    ["kafka://b1:9092/lost?BASIC_AUTH=hunter2", /does not say where the secret stands/],
    ["kafka://b1:9092/lost?BASIC_AUTH", /BASIC_AUTH does not say where its secret stands/],
    ["kafka://b1:9092/lost?IAM_AUTH=env:A", /IAM_AUTH has no uri/],
    ["kafka://b1:9092/lost?BASIC_AUTH=env:A&IAM_AUTH", /There is BASIC_AUTH already/],
    ["kafka://b1:9092/lost?OAUTHBEARER_SCOPE=a", /needs OAUTHBEARER_AUTH/],
  ];
  for (const [text, said] of rows) {
    const read = topicKind.read(text, "/etc");
    assert.ok(read?.kind === "problem", text);
    assert.match(read.problem, said, text);
    assert.ok(!read.problem.includes("hunter2"), read.problem);
  }
});

test("leaves texts of other kinds to others", () => {
  for (const text of ["", "file:kafka://b:1/t", "arn:aws:sqs:eu-west-1:123456789012:q", "KAFKA://b:1/t"])
    assert.equal(topicKind.read(text, "/etc"), undefined);
});

test("a secret that is not there is told when the destination is opened, by its place", async () => {
  await assert.rejects(
    topicKind.open("kafka://b1:9092/lost?BASIC_AUTH=env:MILLRACE_NOWHERE"),
    /MILLRACE_NOWHERE, which holds the secret for BASIC_AUTH, is not set/,
  );
});
