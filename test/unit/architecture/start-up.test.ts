import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { ROOT } from "./imports.ts";

/**
 * Whether clients of the AWS SDK or of PostgreSQL are what this Node process has loaded after the import of each file,
 * a line each.
 */
const SCRIPT = `
  import { Module } from "node:module";
  for (const file of process.argv.slice(1)) {
    await import(file);
    const clients = Object.keys(Module._cache).flatMap((path) => /client-(sqs|sns|s3|dynamodb)\\b(?!-)|[/]pg[/]/.exec(path)?.[0] ?? []);
    console.log(clients.length === 0 ? "none" : "some");
  }
`;

test("the command line starts without the SDKs of destinations and stores", () => {
  for (const adapter of ["src/destinations/sqs.ts", "src/stores/dynamodb.ts", "src/stores/postgres.ts"]) {
    const files = ["src/main.ts", adapter].map((file) => `${ROOT}${file}`);
    const args = ["--input-type=module", "-e", SCRIPT, ...files];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(stdout, "none\nsome\n", adapter + stderr);
  }
});
