import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCredentials, shownUrl } from "../../../src/secrets/url-secrets.ts";

test("a URL with a user name or a password has credentials", () => {
  for (const url of ["http://u@h/", "http://u:p@h/", "http://:p@h/"])
    assert.equal(hasCredentials(new URL(url)), true, url);
  for (const url of ["http://h/@", "http://h:1/?u:p"]) assert.equal(hasCredentials(new URL(url)), false, url);
});

test("of a text that should be a URL nothing is shown that may be a password", () => {
  assert.equal(shownUrl("postgre://u:canary@h/d", 40), "postgre://…");
  assert.equal(shownUrl("x/u:canary@h", 40), "…");
  assert.equal(shownUrl("etcd://host/path", 10), "etcd://hos");
});
