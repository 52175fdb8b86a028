import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { ROOT } from "./imports.ts";

/**
 * Whether clients of the AWS SDK, of PostgreSQL or of brokers are what this Node process has loaded after the import of
 * each file, a line each.
 */
const SCRIPT = `
  import { Module } from "node:module";
  for (const file of process.argv.slice(1)) {
    await import(file);
    const clients = Object.keys(Module._cache).flatMap((path) => /@aws-sdk.client-|[/](pg|kafkajs|amqplib|rhea|mongodb|@grpc)[/]/.exec(path)?.[0] ?? []);
    console.log(clients.length === 0 ? "none" : "some");
  }
`;

const ADAPTERS = [
  "src/destinations/sqs.ts",
  "src/stores/dynamodb.ts",
  "src/stores/postgres.ts",
  "connectors/kinesis/sdk-api.ts",
  "connectors/dynamodb-streams/sdk-stream-api.ts",
];

test("the command line starts without the SDKs of sources, destinations and stores", () => {
  for (const adapter of ADAPTERS) {
    const files = ["src/main.ts", adapter].map((file) => `${ROOT}${file}`);
    const args = ["--input-type=module", "-e", SCRIPT, ...files];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(stdout, "none\nsome\n", adapter + stderr);
  }
});
