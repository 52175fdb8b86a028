import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { manifestText } from "../../../src/cli/manifest-text.ts";
import { manifestOf } from "../../../src/sam/read-template.ts";
import { read, told } from "./template-samples.ts";

const FOLDER = join(import.meta.dirname, "../../fixtures/sam");

/** Templates of different makers, with what their deployment gives them. */
const TEMPLATES: Readonly<
  Record<string, { parameters?: Record<string, string>; imports?: Record<string, string> }>
> = {
  "all-events": {},
  audit: {
    parameters: { Environment: "production" },
    imports: { "shared-logs-key": "arn:aws:kms:eu-west-2:123456789012:key/1" },
  },
  "document-database": {},
  "items-store": {
    parameters: {
      "itemsTable.StreamArn":
        "arn:aws:dynamodb:eu-west-1:123456789012:table/example-items/stream/2026-01-01T00:00:00.000",
    },
  },
  "log-forwarder": { parameters: { ReservedConcurrency: "3" } },
  "managed-cluster": {
    parameters: {
      ApplicationName: "shop",
      MSKClusterArn: "arn:aws:kafka:eu-west-1:123456789012:cluster/c/6cc0432b-8618-4f44-bccc-e1fbd8fb7c4d-2",
      Topic: "orders",
    },
  },
  "metrics-from-logs": {
    parameters: {
      EventSourceType: "Kinesis",
      KinesisStreamArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/logs",
    },
  },
  newsletter: { parameters: { CorsDomain: "https://news.example.com", AmplifyProjectId: "p1" } },
  "power-tuning": {},
  prescriptions: {
    parameters: { EnabledSystemsParam: "one,two", LogLevel: "INFO", DeployCheck: "true" },
    imports: { "account-resources:KeyArn": "arn:aws:kms:eu-west-2:123456789012:key/2" },
  },
  // The rest of what there is: it is no template of one maker.
  "more-events": {},
};

for (const [name, { parameters = {}, imports = {} }] of Object.entries(TEMPLATES)) {
  test(`${name}.yaml is read without an error, and what does not run is told by line`, (t) => {
    const text = readFileSync(join(FOLDER, `${name}.yaml`), "utf8");
    assert.ok(text.split("\n").length > 60, "a template of some length");
    const result = read(text, {
      parameters: new Map(Object.entries(parameters)),
      imports: new Map(Object.entries(imports)),
    });
    assert.deepEqual(result.faults, []);
    const shown = `${told(result).join("\n")}\n\n${manifestText(result.resources.map(manifestOf))}`;
    const identity = (value: unknown) => String(value);
    t.assert.fileSnapshot(shown, join(FOLDER, "read", `${name}.txt`), { serializers: [identity] });
  });
}

test("the ten hold every function of templates and every type of event", () => {
  const texts = Object.keys(TEMPLATES).map((name) => readFileSync(join(FOLDER, `${name}.yaml`), "utf8"));
  const all = texts.join("\n");
  const functions = ["Ref", "GetAtt", "Sub", "Join", "Select", "Split", "If", "Equals", "And", "Or", "Not"];
  const others = ["Condition", "FindInMap", "ImportValue", "Base64"];
  const events = [
    "Kinesis",
    "DynamoDB",
    "SQS",
    "MSK",
    "SelfManagedKafka",
    "MQ",
    "DocumentDB",
    "S3",
    "SNS",
    "Api",
  ];
  const rules = ["HttpApi", "Schedule", "ScheduleV2", "EventBridgeRule", "CloudWatchEvent", "CloudWatchLogs"];
  const missing = [
    ...[...functions, ...others].filter((name) => !new RegExp(`!${name}\\b|(?:Fn::)?${name}:`).test(all)),
    ...[...events, ...rules].filter((type) => !new RegExp(`Type: ${type}$`, "m").test(all)),
  ];
  assert.deepEqual(missing, []);
});
