import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { ROOT } from "./imports.ts";

/** Clients of the AWS SDK that this Node process has loaded after the import of each file, a line each. */
const SCRIPT = `
  import { Module } from "node:module";
  for (const file of process.argv.slice(1)) {
    await import(file);
    const clients = Object.keys(Module._cache).flatMap((path) => /client-(sqs|sns|s3)\\b/.exec(path)?.[1] ?? []);
    console.log(clients.length === 0 ? "none" : "some");
  }
`;

test("the command line starts without the SDKs of destinations", () => {
  const files = ["src/main.ts", "src/destinations/sqs.ts"].map((file) => `${ROOT}${file}`);
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", SCRIPT, ...files], {
    encoding: "utf8",
  });
  assert.equal(stdout, "none\nsome\n", stderr);
});
