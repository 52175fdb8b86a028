import assert from "node:assert/strict";
import { test } from "node:test";
import { isHostPattern, refusalOf } from "../../../src/network/reachable-address.ts";

const ELSEWHERE = { allowsLoopback: false };
const HERE = { allowsLoopback: true };

for (const address of [
  "169.254.169.254",
  "169.254.0.1",
  "100.100.100.200",
  "0.0.0.0",
  "0.1.2.3",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "fe80::1",
  "fe80::1%eth0",
  "ff02::1",
  "fd00:ec2::254",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "::a9fe:a9fe",
  "64:ff9b::169.254.169.254",
  "64:ff9b::a9fe:a9fe",
  "2002:a9fe:a9fe::1",
  "::ffff:0.0.0.0",
]) {
  test(`no caller may have ${address} dialled, not even where the API is on loopback`, () => {
    assert.match(refusalOf("broker", address, HERE) ?? "", /link-local/);
  });
}

for (const address of [
  "127.0.0.1",
  "127.9.9.9",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
]) {
  test(`${address} is dialled only where the API is on loopback`, () => {
    assert.match(refusalOf("broker", address, ELSEWHERE) ?? "", /on loopback/);
    assert.equal(refusalOf("broker", address, HERE), undefined);
  });
}

for (const address of [
  "10.0.0.1",
  "172.17.0.2",
  "192.168.1.1",
  "8.8.8.8",
  "fd12::1",
  "2001:db8::1",
  "64:ff9b::808:808",
]) {
  test(`${address} is dialled`, () => {
    assert.equal(refusalOf("broker", address, ELSEWHERE), undefined);
  });
}

test("a list of hosts narrows by name, by suffix, by address and by block, and opens nothing", () => {
  const reach = {
    allowsLoopback: false,
    hosts: ["kafka.internal", "*.msk.example", "10.1.0.0/16", "fd12::7", "127.0.0.1"],
  };
  const isRefused = (host: string, address: string) => refusalOf(host, address, reach) !== undefined;
  assert.deepEqual(
    [
      isRefused("kafka.internal", "10.9.0.1"),
      isRefused("KAFKA.internal.", "10.9.0.1"),
      isRefused("b-1.msk.example", "10.9.0.1"),
      isRefused("10.1.2.3", "10.1.2.3"),
      isRefused("fd12::7", "fd12::7"),
    ],
    [false, false, false, false, false],
  );
  assert.deepEqual(
    [
      isRefused("msk.example", "10.9.0.1"),
      isRefused("evilkafka.internal", "10.9.0.1"),
      isRefused("10.2.0.1", "10.2.0.1"),
      isRefused("kafka.internal", "169.254.169.254"),
      isRefused("127.0.0.1", "127.0.0.1"),
    ],
    [true, true, true, true, true],
  );
});

test("knows names, addresses and blocks from what is none", () => {
  for (const text of ["a", "*.a.b", "10.0.0.0/8", "::1", "fd00::/8", "a_b-c.d"])
    assert(isHostPattern(text), text);
  for (const text of [
    "",
    "*",
    "a/8",
    "10.0.0.0/33",
    "::/129",
    "a b",
    "http://a",
    "a:9092",
    "*.",
    "10.0.0.0/",
  ]) {
    assert(!isHostPattern(text), text);
  }
});
