import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { LambdaClient, LambdaServiceException } from "@aws-sdk/client-lambda";
import { type AwsCli, installAwsCli } from "./aws-cli.ts";

/** How the command line tells the service's own errors. */
const FAULT = /An error occurred \((\w+)\) when calling the \w+ operation(?: \([^)]*\))?: ([\s\S]*)/;

/**
 * The SDK's client, each call of which AWS's command line makes in its place: a test that is written for one is one for
 * the other. What the command line would refuse by itself is left to the server.
 */
export async function createCliClient(t: TestContext, endpoint: string): Promise<LambdaClient> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-aws-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = join(folder, "config");
  writeFileSync(config, "[default]\nparameter_validation = false\n");
  const awsCli = await installAwsCli();
  const aws = awsCli(endpoint, { AWS_CONFIG_FILE: config });
  const client = new LambdaClient({ region: "eu-west-1", endpoint });
  t.after(() => client.destroy());
  client.middlewareStack.add(
    (_next, { commandName = "" }) =>
      async ({ input }) => {
        const output = { $metadata: {}, ...(await call(aws, commandName, input)) };
        return { output: output as never, response: {} };
      },
    { step: "initialize", priority: "high" },
  );
  return client;
}

async function call(aws: AwsCli, commandName: string, input: object): Promise<Record<string, unknown>> {
  const operation = commandName.replace(/Command$/, "").replaceAll(/(?<=[a-z])[A-Z]/g, "-$&");
  const words = [
    "lambda",
    operation.toLowerCase(),
    "--no-paginate",
    "--cli-input-json",
    JSON.stringify(input),
  ];
  const { status, stdout, stderr } = await aws.run(...words);
  if (status === 0) return stdout.trim() === "" ? {} : JSON.parse(stdout);
  const [, name, message] = FAULT.exec(stderr) ?? [];
  if (name === undefined || message === undefined)
    throw new Error(`aws ${words.join(" ")} ended with ${status}: ${stderr}`);
  throw new LambdaServiceException({ name, message: message.trim(), $fault: "client", $metadata: {} });
}
