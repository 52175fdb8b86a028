import assert from "node:assert/strict";
import { test } from "node:test";
import { addCredentialVariables, KNOWN_SECRETS, KnownSecrets } from "../../../src/secrets/known-secrets.ts";
import { Redactor } from "../../../src/secrets/redactor.ts";
import { Secret } from "../../../src/secrets/secret.ts";

const { redact } = new Redactor(new KnownSecrets());

test("takes out what is a credential by its form, and leaves the rest", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["key AKIAIOSFODNN7EXAMPLE is wrong", "key [redacted] is wrong"],
    ["ASIAIOSFODNN7EXAMPLE", "[redacted]"],
    ["Authorization: Bearer abc.def-ghi_jkl", "Authorization: Bearer [redacted]"],
    ["Basic dXNlcjpwYXNz", "Basic [redacted]"],
    ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl!", "token [redacted]!"],
    ["postgres://app:hunter2@db:5432/shop failed", "postgres://[redacted]@db:5432/shop failed"],
    ["https://user@host/ and https://host/?a=b@c", "https://[redacted]@host/ and https://host/?a=b@c"],
    ['{"password":"hunter2!","user":"app"}', '{"password":"[redacted]","user":"app"}'],
    ["secret_access_key=wJalrXUtnFEMI/K7MDENG", "secret_access_key=[redacted]"],
    ["api-key: 0123456789", "api-key: [redacted]"],
    ["a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb", "a\n[redacted]\nb"],
    ["-----BEGIN PRIVATE KEY-----\nMIIEcut", "[redacted]"],
    ["cutMIIE\nabc=\n-----END PRIVATE KEY-----\nb", "[redacted]\nb"],
    ["no price for order 1", "no price for order 1"],
    ["the token of the session is missing", "the token of the session is missing"],
    ["at price (file:///srv/orders.ts:14:9)", "at price (file:///srv/orders.ts:14:9)"],
  ];
  for (const [text, expected] of cases) assert.equal(redact(text), expected);
});

test("takes out control characters and sequences, and keeps lines and tabs", () => {
  assert.equal(redact("\u001b[31mred\u001b[0m\tand\r\nnext\u0007\u0000"), "red\tand\nnext");
  assert.equal(redact("\u001b]0;title\u0007shown\u009b2Jkept"), "shownkept");
  assert.equal(redact("a\u202egnp.exe\u2066"), "agnp.exe");
});

test("takes out what this process knows for a secret, in each form in which it may stand", () => {
  const known = new KnownSecrets();
  const redactor = new Redactor(known);
  assert.equal(redactor.redact('it is c4nary"one'), 'it is c4nary"one');
  known.add('c4nary"one');
  assert.equal(redactor.redact('it is c4nary"one'), "it is [redacted]");
  assert.equal(redactor.redact(JSON.stringify({ a: 'c4nary"one' })), '{"a":"[redacted]"}');
  assert.equal(redactor.redact("?p=c4nary%22one"), "?p=[redacted]");
  assert.equal(redactor.redact('c4na\u001b[1mry"one'), "[redacted]");
});

test("takes out a part of a secret at the edge of a text that was cut through it", () => {
  const known = new KnownSecrets();
  known.add("correct-horse-battery-staple");
  const redactor = new Redactor(known);
  assert.equal(redactor.redact("it ends with correct-horse"), "it ends with [redacted]");
  assert.equal(redactor.redact("tery-staple begins"), "[redacted] begins");
});

test("knows the members of a secret that is JSON, but not who somebody is", () => {
  const known = new KnownSecrets();
  known.add(JSON.stringify({ username: "millrace-app", password: "p4ssw0rd" }));
  assert.equal(new Redactor(known).redact("millrace-app has p4ssw0rd"), "millrace-app has [redacted]");
});

test("knows variables that are credentials by their names, and passwords in URLs", () => {
  const known = new KnownSecrets();
  addCredentialVariables(known, {
    PGPASSWORD: "canary-pg",
    SHOP_AWS_SECRET_ACCESS_KEY: "canary-aws",
    OTEL_EXPORTER_OTLP_HEADERS: "x-auth=canary-otel,other=canary%20space",
    DATABASE_URL: "postgres://app:canary%21url@db/shop",
    MILLRACE_SECRETS_FILE: "/run/secrets/all.json",
    HOME: "/home/canary",
  });
  const { redact: of } = new Redactor(known);
  const texts = ["canary-pg", "canary-aws", "canary-otel", "canary space", "canary!url", "canary%21url"];
  for (const text of texts) assert.equal(of(`<${text}>`), "<[redacted]>");
  assert.equal(of("/run/secrets/all.json /home/canary"), "/run/secrets/all.json /home/canary");
});

test("knows each secret of the process without being told", () => {
  new Secret("canary-of-a-secret-of-the-process");
  assert.equal(new Redactor().redact("canary-of-a-secret-of-the-process"), "[redacted]");
  assert.ok(KNOWN_SECRETS.version > 0);
});

test("does not take out what is so short that it stands everywhere by chance", () => {
  const known = new KnownSecrets();
  known.add("a");
  known.add("  ");
  assert.equal(new Redactor(known).redact("a banana"), "a banana");
});

test("keeps so many secrets and no more", () => {
  const known = new KnownSecrets();
  for (let index = 0; index < 3_000; index++) known.add(`secret-number-${index}-`);
  assert.equal(known.texts.length, 2_000);
});
