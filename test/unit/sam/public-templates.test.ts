import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { manifestText } from "../../../src/cli/manifest-text.ts";
import { manifestOf } from "../../../src/sam/read-template.ts";
import { GIVEN, read, told } from "./template-samples.ts";

const FOLDER = join(import.meta.dirname, "../../fixtures/sam");

for (const [name, given] of Object.entries(GIVEN)) {
  test(`${name}.yaml is read without an error, and what does not run is told by line`, (t) => {
    const text = readFileSync(join(FOLDER, `${name}.yaml`), "utf8");
    assert.ok(text.split("\n").length > 60, "a template of some length");
    const result = read(text, given);
    assert.deepEqual(result.faults, []);
    const shown = `${told(result).join("\n")}\n\n${manifestText(result.resources.map(manifestOf))}`;
    const identity = (value: unknown) => String(value);
    t.assert.fileSnapshot(shown, join(FOLDER, "read", `${name}.txt`), { serializers: [identity] });
  });
}

test("the ten hold every function of templates and every type of event", () => {
  const texts = Object.keys(GIVEN).map((name) => readFileSync(join(FOLDER, `${name}.yaml`), "utf8"));
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
