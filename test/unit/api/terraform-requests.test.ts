import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createApp } from "../../../src/api/server.ts";
import { ControlWorld, QUEUE, STREAM } from "../control/control-world.ts";
import { apiOptions } from "./api-fixture.ts";

const MAPPINGS = "/2015-03-31/event-source-mappings";
/**
 * As AWS's SDK for Go sends them, which Terraform's provider is built on; nobody checks the signature of a loopback
 * call.
 */
const HEADERS = {
  host: "127.0.0.1:8080",
  "accept-encoding": "identity",
  "amz-sdk-invocation-id": "5e1d4a0e-5d4b-4a6e-9f3d-9d3a9b1c2d3e",
  "amz-sdk-request": "attempt=1; max=25",
  authorization:
    "AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature=00",
  "user-agent":
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.0 terraform-provider-aws/5.90.0 aws-sdk-go-v2/1.36.0 api/lambda#1.69.0",
  "x-amz-date": "20261121T120000Z",
};

type Body = Readonly<Record<string, unknown>>;

/** What the provider's resource `aws_lambda_event_source_mapping` does with a mapping, request by request. */
class Provider {
  readonly world: ControlWorld;
  readonly #app;
  uuid = "";
  arn = "";

  static async start(t: TestContext): Promise<Provider> {
    const world = new ControlWorld();
    const { plane } = await world.start("a");
    const provider = new Provider(world, createApp(apiOptions(plane)));
    t.after(() => provider.#app.close());
    return provider;
  }

  private constructor(world: ControlWorld, app: ReturnType<typeof createApp>) {
    this.world = world;
    this.#app = app;
  }

  async ask(method: "GET" | "POST" | "PUT" | "DELETE", url: string, body?: object) {
    const response = await this.#app.inject({
      method,
      url,
      headers: { ...HEADERS, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    const { statusCode: status, headers } = response;
    const parsed: Body = response.body === "" ? {} : JSON.parse(response.body);
    return { status, fault: headers["x-amzn-errortype"], body: parsed };
  }

  async create(body: object, path = MAPPINGS): Promise<Body> {
    const { status, body: created } = await this.ask("POST", path, body);
    assert.equal(status, 202, JSON.stringify(created));
    this.uuid = String(created["UUID"]);
    this.arn = String(created["EventSourceMappingArn"]);
    return created;
  }

  /** Polls as the provider does: what is neither pending nor the target fails its apply. Gives what it reads then. */
  async wait(pending: readonly string[], target: readonly string[]): Promise<Body> {
    for (let polls = 0; polls < 100; polls++) {
      const { status, body } = await this.ask("GET", `${MAPPINGS}/${this.uuid}`);
      assert.equal(status, 200);
      const state = String(body["State"]);
      if (target.includes(state)) return body;
      assert(pending.includes(state), `${state} is not expected`);
      await this.world.pass(500);
    }
    return assert.fail("it does not settle");
  }

  created = () => this.wait(["Creating", "Disabling", "Enabling"], ["Disabled", "Enabled"]);
  updated = () => this.wait(["Disabling", "Enabling", "Updating"], ["Disabled", "Enabled"]);

  async update(body: object): Promise<Body> {
    const { status, body: answer } = await this.ask("PUT", `${MAPPINGS}/${this.uuid}`, body);
    assert.equal(status, 202, JSON.stringify(answer));
    return await this.updated();
  }

  /** Its path holds the ARN with its colons escaped. */
  tags(query = ""): string {
    return `/2017-03-31/tags/${encodeURIComponent(this.arn)}${query}`;
  }

  async destroy(): Promise<void> {
    const { status } = await this.ask("DELETE", `${MAPPINGS}/${this.uuid}`);
    assert.equal(status, 202);
    for (let polls = 0; polls < 100; polls++) {
      const { status: found, fault, body } = await this.ask("GET", `${MAPPINGS}/${this.uuid}`);
      if (found === 404) {
        assert.equal(fault, "ResourceNotFoundException");
        return;
      }
      assert.equal(body["State"], "Deleting");
      await this.world.pass(500);
    }
    assert.fail("it does not go away");
  }
}

test("applies, refreshes, changes and destroys a stream's mapping", async (t) => {
  const provider = await Provider.start(t);
  await provider.create({
    BatchSize: 100,
    BisectBatchOnFunctionError: true,
    DestinationConfig: { OnFailure: { Destination: QUEUE } },
    Enabled: true,
    EventSourceArn: STREAM,
    FilterCriteria: { Filters: [{ Pattern: '{"partitionKey":["a"]}' }] },
    FunctionName: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    MaximumBatchingWindowInSeconds: 1,
    MaximumRecordAgeInSeconds: 60,
    MaximumRetryAttempts: 2,
    ParallelizationFactor: 3,
    StartingPosition: "LATEST",
    Tags: { team: "one" },
  });
  const { LastModified, UUID: _, ...read } = await provider.created();
  assert.equal(typeof LastModified, "number");
  // What the provider compares with the configuration at its next plan: anything else would be changed for ever.
  assert.deepEqual(read, {
    BatchSize: 100,
    BisectBatchOnFunctionError: true,
    DestinationConfig: { OnFailure: { Destination: QUEUE } },
    EventSourceArn: STREAM,
    EventSourceMappingArn: provider.arn,
    FilterCriteria: { Filters: [{ Pattern: '{"partitionKey":["a"]}' }] },
    FunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    LastProcessingResult: "OK",
    MaximumBatchingWindowInSeconds: 1,
    MaximumRecordAgeInSeconds: 60,
    MaximumRetryAttempts: 2,
    ParallelizationFactor: 3,
    StartingPosition: "LATEST",
    State: "Enabled",
    StateTransitionReason: "User action",
    TumblingWindowInSeconds: 0,
  });
  const tags = await provider.ask("GET", provider.tags());
  assert.deepEqual([tags.status, tags.body], [200, { Tags: { team: "one" } }]);

  const removed = await provider.update({ BatchSize: 10, FilterCriteria: {}, FunctionResponseTypes: [] });
  assert.deepEqual(
    [removed["BatchSize"], removed["FilterCriteria"], removed["FunctionResponseTypes"], removed["State"]],
    [10, undefined, [], "Enabled"],
  );
  assert.equal((await provider.update({ Enabled: false }))["State"], "Disabled");
  // A change of tags alone is sent with an update that changes nothing.
  assert.equal((await provider.update({}))["State"], "Disabled");
  assert.equal((await provider.ask("POST", provider.tags(), { Tags: { stage: "test" } })).status, 204);
  assert.equal((await provider.ask("DELETE", provider.tags("?tagKeys=team"))).status, 204);
  assert.deepEqual((await provider.ask("GET", provider.tags())).body, { Tags: { stage: "test" } });
  assert.equal((await provider.update({ Enabled: true }))["State"], "Enabled");
  await provider.destroy();
  assert.equal((await provider.ask("GET", provider.tags())).fault, "ResourceNotFoundException");
});

test("applies a mapping that is off from the start, over the older path with a slash at its end", async (t) => {
  const provider = await Provider.start(t);
  const members = {
    Enabled: false,
    EventSourceArn: STREAM,
    FunctionName: "orders",
    StartingPosition: "LATEST",
  };
  await provider.create(members, `${MAPPINGS}/`);
  assert.equal((await provider.created())["State"], "Disabled");
  await provider.destroy();
});

test("applies and changes a queue's mapping, whose maximum concurrency is removed by an empty object", async (t) => {
  const provider = await Provider.start(t);
  await provider.create({
    Enabled: true,
    EventSourceArn: QUEUE,
    FunctionName: "orders",
    ScalingConfig: { MaximumConcurrency: 5 },
  });
  const read = await provider.created();
  assert.deepEqual([read["ScalingConfig"], read["BatchSize"]], [{ MaximumConcurrency: 5 }, 10]);
  assert.equal((await provider.update({ ScalingConfig: {} }))["ScalingConfig"], undefined);
  await provider.destroy();
});

test("a mapping that is in use when it is destroyed is refused with the error that the provider waits on", async (t) => {
  const provider = await Provider.start(t);
  await provider.create({ EventSourceArn: QUEUE, FunctionName: "orders" });
  const { promise, resolve } = Promise.withResolvers<void>();
  await provider.created();
  provider.world.drain = promise;
  await provider.ask("PUT", `${MAPPINGS}/${provider.uuid}`, { Enabled: false });
  const refused = await provider.ask("DELETE", `${MAPPINGS}/${provider.uuid}`);
  assert.deepEqual([refused.status, refused.fault], [400, "ResourceInUseException"]);
  resolve();
  await provider.updated();
  await provider.destroy();
});
