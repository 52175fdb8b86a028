import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { test } from "node:test";
import { inspect } from "node:util";
import { hasErrorCode } from "../../../src/model/errors.ts";
import { findPassword } from "../../../src/stores/postgres-password.ts";
import { readPostgresSettings } from "../../../src/stores/postgres-settings.ts";

const CANARY = "canary-5d1c";

test("a URL says all that it says, percent-encoded", async () => {
  const url = "postgresql://us%40er:pass%2Fword@db.example:6432/mill%20race?application_name=one";
  const { place, host, port, user, database, applicationName, password } = readPostgresSettings(url, {});
  assert.deepEqual(
    [host, port, user, database, applicationName],
    ["db.example", 6432, "us@er", "mill race", "one"],
  );
  assert.equal(await password(), "pass/word");
  assert.equal(place, "postgres://db.example:6432/mill race");
  const signs = readPostgresSettings("postgres://u@%2Frun%2Fpostgresql/a%2Fb%2525", {});
  assert.deepEqual([signs.host, signs.database], ["/run/postgresql", "a/b%25"]);
});

test("what the URL leaves out comes from libpq's variables, then from its defaults", async () => {
  const environment = {
    PGHOST: "db.example",
    PGPORT: "6432",
    PGUSER: "someone",
    PGDATABASE: "somewhere",
    PGPASSWORD: "something",
    PGSSLMODE: "disable",
  };
  const given = readPostgresSettings("postgres://", environment);
  assert.deepEqual(
    [given.host, given.port, given.user, given.database, await given.password(), given.tls],
    ["db.example", 6432, "someone", "somewhere", "something", { mode: "plain" }],
  );
  const left = readPostgresSettings("postgres://", { PGPASSFILE: "/no/such/file" });
  const { username } = userInfo();
  assert.deepEqual([left.host, left.port, left.user, left.database], ["localhost", 5432, username, username]);
  assert.deepEqual([await left.password(), left.tls.mode], ["", "preferred"]);
  const named = readPostgresSettings("postgres://ann@", {});
  assert.deepEqual([named.user, named.database], ["ann", "ann"]);
});

test("a host may be an address of IPv6, or the folder of a socket, which is never encrypted", () => {
  const six = readPostgresSettings("postgres://u@[::1]:5433/d", {});
  assert.deepEqual([six.host, six.port], ["::1", 5433]);
  const socket = readPostgresSettings("postgres://u@/d?host=/run/postgresql&sslmode=verify-full", {});
  assert.deepEqual([socket.host, socket.tls.mode, socket.database], ["/run/postgresql", "plain", "d"]);
});

const BAD_URLS: readonly (readonly [url: string, message: RegExp])[] = [
  [`postgres://u:${CANARY}/1@h/d`, /percent-encoded/],
  [`postgres://u:12${CANARY}#@h/d`, /percent-encoded/],
  [`postgres://u:12/${CANARY}@h/d`, /percent-encoded/],
  [`postgres://u:1?${CANARY}@h/d`, /percent-encoded/],
  [`postgres://u:${CANARY}%zz@h/d`, /begins no percent-encoding/],
  [`postgres://u:${CANARY}@h1:1,h2:2/d`, /with one host/],
  [`postgres://u:${CANARY}@h:0/d`, /port/],
  [`postgres://u:${CANARY}@h/d?port=70000`, /port/],
  [`postgres://u:${CANARY}@h/d?sslmod=require`, /"sslmod" is not known .*sslmode/],
  [`postgres://u:${CANARY}@h/d?sslmode=require&sslmode=disable`, /twice/],
  [`postgres://u:${CANARY}@h/d?sslmode=always`, /sslmode is none\. Give one of disable/],
  [`postgres://u:${CANARY}@h/d?sslmode=verify-ca`, /needs sslrootcert=FILE/],
  [`postgres://u:${CANARY}@h/d?sslmode=require&sslrootcert=system`, /needs sslmode=verify-full/],
  [`postgres://u:${CANARY}@h/d?sslrootcert=/no/such.crt`, /\/no\/such\.crt, cannot be read/],
];

for (const [url, message] of BAD_URLS) {
  test(`says what is wrong, and shows no password: ${url.replaceAll(CANARY, "…")}`, () => {
    assert.throws(
      () => readPostgresSettings(url, { HOME: "/nowhere" }),
      (error) => {
        assert.ok(hasErrorCode(error, "ERR_MILLRACE_CONFIG"));
        assert.match(error.message, message);
        return !inspect(error, { depth: 10, showHidden: true }).includes(CANARY);
      },
    );
  });
}

test("a passfile's first line that fits gives the password", () => {
  const file = [
    "# localhost:5432:d:u:comment",
    "",
    "localhost:5432:d:other:no",
    "half:a:line",
    String.raw`*:*:d:u:with\:colon\\and:more`,
    "*:*:*:*:late",
  ].join("\n");
  const entry = { host: "localhost", port: "5432", database: "d", user: "u" };
  assert.equal(findPassword(file, entry), String.raw`with:colon\and:more`);
  assert.equal(findPassword(file, { ...entry, user: "someone" }), "late");
  assert.equal(findPassword("localhost:1:d:u:p", entry), undefined);
});

test("a passfile's line may have a short password, and a backslash at the end of a field", () => {
  const entry = { host: "localhost", port: "5432", database: "d", user: "domain\\" };
  assert.equal(findPassword("*:*:*:*:pw", entry), "pw");
  assert.equal(findPassword("*:*:*:domain\\\\:secret", entry), "secret");
});
