import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { MillraceProcess, until } from "./cli/millrace-process.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/sam");

/** Functions that write down what they are called with. */
const PYTHON = (out: string) => `import json

def lambda_handler(event, context):
    with open(${JSON.stringify(out)}, "a") as out:
        out.write(json.dumps({"function": context.function_name, "event": event}) + "\\n")
    return {"statusCode": 200, "body": json.dumps({"cart": event.get("pathParameters")})}
`;
const NODE = (out: string) => `const { appendFileSync } = require("node:fs");
exports.handler = async (event, context) => {
  const line = JSON.stringify({ function: context.functionName, event });
  appendFileSync(${JSON.stringify(out)}, line + "\\n");
};
`;

type Seen = Readonly<{ function: string; event: Readonly<Record<string, unknown>> }>;

/** A public template beside code of one's own. */
class TemplateRun {
  readonly folder = mkdtempSync(join(tmpdir(), "millrace-public-"));
  readonly out = join(this.folder, "out.jsonl");
  readonly #t: TestContext;

  constructor(t: TestContext, name: string) {
    this.#t = t;
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
    copyFileSync(join(FIXTURES, `${name}.yaml`), join(this.folder, "template.yaml"));
  }

  write(file: string, text: string): void {
    mkdirSync(join(this.folder, file, ".."), { recursive: true });
    writeFileSync(join(this.folder, file), text);
  }

  async done(...words: string[]): Promise<void> {
    const millrace = new MillraceProcess(this.#t, words, this.folder);
    const { status } = await millrace.ended;
    assert.equal(status, 0, millrace.stdout + millrace.stderr);
  }

  start(parameters: Readonly<Record<string, string>>, ...flags: string[]): MillraceProcess {
    const given = Object.entries(parameters).flatMap(([name, value]) => ["--parameter", `${name}=${value}`]);
    const words = [
      "run",
      "-f",
      "template.yaml",
      "--embedded",
      "sources.db",
      "--stack-name",
      "shop",
      ...given,
    ];
    const own = ["--store", "sqlite:state.db", "--api", "127.0.0.1:0", ...flags];
    return new MillraceProcess(this.#t, [...words, ...own], this.folder);
  }

  seen(): readonly Seen[] {
    if (!existsSync(this.out)) return [];
    const lines = readFileSync(this.out, "utf8").split("\n").slice(0, -1);
    return lines.map((line): Seen => JSON.parse(line));
  }

  async calls(fn: string, run: MillraceProcess): Promise<Seen["event"]> {
    const find = () => this.seen().find((call) => call.function === fn);
    await until(
      () => find() !== undefined,
      () => `${fn} was not called: ${run.stderr}`,
    );
    return find()?.event ?? {};
  }
}

async function ended(run: MillraceProcess): Promise<void> {
  run.kill("SIGTERM");
  assert.equal((await run.ended).status, 0, run.stderr);
}

test("a public template in Python serves its API and works off its queue", async (t) => {
  const template = new TemplateRun(t, "shopping-cart");
  const handlers = ["list_cart", "update_cart", "migrate_cart", "delete_from_cart", "db_stream_handler"];
  for (const name of handlers) template.write(`shopping-cart-service/${name}.py`, PYTHON(template.out));
  template.write("layers/python/shared.py", "");
  await template.done("queues", "create", "shop-CartDeleteQueue", "--file", "sources.db");
  await template.done("queues", "send", "shop-CartDeleteQueue", "cart-7", "--file", "sources.db");
  const parameters = {
    UserPoolArn: "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_1",
    UserPoolId: "eu-west-1_1",
    ProductServiceUrl: "https://products.example.com",
    AllowedOrigin: "https://shop.example.com",
  };
  const run = template.start(parameters, "--front", "127.0.0.1:0");
  await run.apiUrlOf();
  const front = /"frontAddress":"(http:[^"]+)"/.exec(run.stderr)?.[1] ?? "";
  const answer = await fetch(new URL("/Prod/cart/apple", front), { method: "PUT", body: "{}" });
  assert.deepEqual([answer.status, await answer.json()], [200, { cart: { product_id: "apple" } }]);
  assert.equal((await fetch(new URL("/Prod/cart", front))).status, 200);
  const request = await template.calls("UpdateCartFunction", run);
  assert.deepEqual([request["httpMethod"], request["resource"]], ["PUT", "/cart/{product_id}"]);
  const message = await template.calls("DeleteFromCartFunction", run);
  assert.match(JSON.stringify(message), /"body": ?"cart-7".*"eventSource": ?"aws:sqs"/);
  await ended(run);
});

test("a public template in Node works off its stream", async (t) => {
  const template = new TemplateRun(t, "metrics-from-logs");
  template.write("functions/index.js", NODE(template.out));
  await template.done("streams", "create", "logs", "--file", "sources.db");
  const run = template.start({
    EventSourceType: "Kinesis",
    KinesisStreamArn: "arn:aws:local:local-1:000000000000:stream/logs",
  });
  await run.apiUrlOf();
  await until(
    async () => {
      await template.done("streams", "put", "logs", "one line", "--key", "host", "--file", "sources.db");
      return template.seen().length > 0;
    },
    () => run.stderr,
  );
  const event = await template.calls("ConvertKinesis", run);
  assert.match(JSON.stringify(event), /"eventSource":"aws:kinesis"/);
  await ended(run);
});

test("a public template in Node is called by its schedule", async (t) => {
  const template = new TemplateRun(t, "prescriptions");
  for (const name of ["updateStatus", "checkStatus", "notify"])
    template.write(`packages/${name}.js`, NODE(template.out));
  const own = { EnabledSystemsParam: "one", LogLevel: "INFO", DeployCheck: "true", Environment: "dev" };
  const run = template.start(own, "--import-value", "account-resources:KeyArn=arn:aws:kms:eu-west-2:1:key/2");
  await run.apiUrlOf();
  const event = await template.calls("none-NotifyProcessor", run);
  assert.equal(event["detail-type"], "Scheduled Event");
  await ended(run);
});
