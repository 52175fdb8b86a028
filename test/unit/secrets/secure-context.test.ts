import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "../../../src/secrets/secret.ts";
import { secureContextOf } from "../../../src/secrets/secure-context.ts";

const refusal = (code: string) => new Error(`refused: ${code}`);

test("without a certificate a connection trusts whom Node trusts", () => {
  assert.ok(secureContextOf({}, refusal).context);
});

test("a key that is none is refused by the code of Node's error alone, in the words of who asked", () => {
  const privateKey = new Secret("-----BEGIN PRIVATE KEY-----\nwill-o-the-wisp\n-----END PRIVATE KEY-----");
  assert.throws(
    () => secureContextOf({ privateKey }, refusal),
    (error: Error) => /^refused: ERR_[A-Z0-9_]+$/.test(error.message) && error.cause === undefined,
  );
});
