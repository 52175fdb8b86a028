import assert from "node:assert/strict";
import { test } from "node:test";
import { loadManifests } from "../../../src/manifests/load-manifests.ts";
import { CONTEXT, folderWith } from "./manifest-samples.ts";

const FUNCTION = `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: billing }
spec: { http: { url: "http://127.0.0.1:9/" }, versions: { "1": { http: { url: "http://127.0.0.1:9/" } } } }
`;

function load(t: Parameters<typeof folderWith>[0], ...documents: readonly string[]) {
  const folder = folderWith(t, { "a.yaml": [FUNCTION, ...documents].join("---\n") });
  return loadManifests([folder], CONTEXT);
}

function schedule(spec: string, name = "nightly"): string {
  return `apiVersion: millrace.dev/v1\nkind: Schedule\nmetadata: { name: ${name} }\nspec:\n  ${spec}\n`;
}

function rule(spec: string, name = "large"): string {
  return `apiVersion: millrace.dev/v1\nkind: Rule\nmetadata: { name: ${name} }\nspec:\n  ${spec}\n`;
}

test("a schedule and a rule are read with their defaults", (t) => {
  const loaded = load(
    t,
    schedule("scheduleExpression: cron(30 2 * * ? *)\n  target: { arn: billing:1 }"),
    rule("eventPattern: { source: [shop] }\n  targets: [{ id: a, arn: billing }]"),
  );
  assert(loaded.kind === "valid", loaded.kind === "invalid" ? JSON.stringify(loaded.problems) : "");
  const [read] = loaded.manifests.schedules ?? [];
  assert.deepEqual(read, {
    name: "nightly",
    spec: {
      scheduleExpression: "cron(30 2 * * ? *)",
      scheduleExpressionTimezone: "UTC",
      flexibleTimeWindow: { mode: "OFF" },
      state: "ENABLED",
      actionAfterCompletion: "NONE",
      groupName: "default",
      target: { arn: "billing:1" },
    },
  });
  assert.deepEqual(loaded.manifests.rules?.[0]?.spec.targets, [{ id: "a", arn: "billing" }]);
});

for (const [what, document, message] of [
  [
    "an expression that is none",
    schedule("scheduleExpression: rate(10 seconds)\n  target: { arn: billing }"),
    "Invalid Schedule Expression rate(10 seconds).",
  ],
  [
    "a zone that nobody knows",
    schedule(
      "scheduleExpression: rate(1 minute)\n  scheduleExpressionTimezone: Mars/Olympus\n  target: { arn: billing }",
    ),
    "The schedule expression timezone you provided is not valid.",
  ],
  [
    "a window without its length",
    schedule(
      "scheduleExpression: rate(1 minute)\n  flexibleTimeWindow: { mode: FLEXIBLE }\n  target: { arn: billing }",
    ),
    "The maximum time window value cannot be null when flexible time window mode is FLEXIBLE.",
  ],
  [
    "a function that is not there",
    schedule("scheduleExpression: rate(1 minute)\n  target: { arn: biling }"),
    "Function does not exist",
  ],
  [
    "an alias that is not there",
    rule("scheduleExpression: rate(1 minute)\n  targets: [{ id: a, arn: billing:live }]"),
    "Function does not exist: billing has no version or alias live",
  ],
  [
    "a rule without anything",
    rule("targets: []"),
    "Parameter(s) EventPattern or ScheduleExpression must be specified.",
  ],
  ["a pattern that is none", rule("eventPattern: { source: shop }"), "Event pattern is not valid. Reason: "],
  [
    "an input that is no JSON",
    rule("eventPattern: { source: [shop] }\n  targets: [{ id: a, arn: billing, input: hello }]"),
    "The Input is not a JSON text",
  ],
] as const) {
  test(`refuses ${what}, with what to write instead`, (t) => {
    const loaded = load(t, document);
    assert(loaded.kind === "invalid");
    const [problem, ...more] = loaded.problems;
    assert.equal(problem?.message.slice(0, message.length), message);
    assert.notEqual(problem?.remedy, "");
    assert.deepEqual(more, []);
  });
}

test("names are unique within their group", (t) => {
  const spec = "scheduleExpression: rate(1 minute)\n  target: { arn: billing }";
  assert.equal(load(t, schedule(spec), schedule(`groupName: other\n  ${spec}`)).kind, "valid");
  const loaded = load(t, schedule(spec), schedule(spec));
  assert(loaded.kind === "invalid");
  assert.match(loaded.problems[0]?.message ?? "", /^There is another Schedule of this name at /);
});
