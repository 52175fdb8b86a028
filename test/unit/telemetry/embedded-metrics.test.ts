import assert from "node:assert/strict";
import { test } from "node:test";
import { readEmbedded } from "../../../src/telemetry/embedded-metric-format.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";

const SOLD = { Name: "sold", Unit: "Count" };

function line(directive: object, members: object): string {
  const whole = { Namespace: "shop", Dimensions: [["service"]], Metrics: [SOLD], ...directive };
  return JSON.stringify({
    _aws: { Timestamp: 0, CloudWatchMetrics: [whole] },
    service: "orders",
    ...members,
  });
}

function dropped(text: string, reason: string): number {
  const [, count] = new RegExp(`_dropped_total\\{function="f",reason="${reason}"\\} (\\d+)`).exec(text) ?? [];
  return Number(count ?? 0);
}

test("each set of dimensions is a series, and an array is so many values", () => {
  const text = line(
    { Dimensions: [["service"], ["stage", "service"], []] },
    { stage: "prod", sold: [1, 2.5, -1] },
  );
  assert.deepEqual(
    readEmbedded(text),
    ["service=orders", "service=orders,stage=prod", ""].map((dimensions) => ({
      namespace: "shop",
      metric: "sold",
      unit: "Count",
      dimensions,
      values: [1, 2.5, -1],
    })),
  );
});

test("units and resolutions of AWS are taken, a unit that is left out is None, and others make a line invalid", () => {
  for (const Unit of ["Count/Second", "Kilobytes", "Terabits/Second", "Bytes/Second", "Percent", "None"])
    assert.equal(readEmbedded(line({ Metrics: [{ ...SOLD, Unit }] }, { sold: 1 }))?.[0]?.unit, Unit);
  assert.equal(readEmbedded(line({ Metrics: [{ Name: "sold" }] }, { sold: 1 }))?.[0]?.unit, "None");
  for (const StorageResolution of [1, 60])
    assert.equal(readEmbedded(line({ Metrics: [{ ...SOLD, StorageResolution }] }, { sold: 1 }))?.length, 1);
  for (const metric of [
    { ...SOLD, Unit: "Parsecs" },
    { ...SOLD, StorageResolution: 30 },
  ])
    assert.equal(readEmbedded(line({ Metrics: [metric] }, { sold: 1 })), undefined);
});

const HOSTILE: Readonly<Record<string, string>> = {
  "no JSON": '{"_aws"',
  "no directive": '{"_aws":{}}',
  "a value that is a text": line({}, { sold: "many" }),
  "a value that is not there": line({}, {}),
  "a value beyond all numbers": line({}, {}).replace("}", ',"sold":1e999}'),
  "a dimension that is an object": line({ Dimensions: [["sold"]] }, { sold: 1 }),
  "a member of every object": line({ Metrics: [{ Name: "toString" }] }, {}),
  "its prototype": line({ Dimensions: [["__proto__"]] }, { sold: 1 }),
  "no namespace": line({ Namespace: " " }, { sold: 1 }),
  "more than a hundred metrics": line({ Metrics: Array.from({ length: 101 }, () => SOLD) }, { sold: 1 }),
  "more than a hundred values": line({}, { sold: Array.from({ length: 101 }, () => 1) }),
  "more than thirty dimensions": line(
    { Dimensions: [Array.from({ length: 31 }, () => "service")] },
    { sold: 1 },
  ),
  "many directives": JSON.stringify({
    _aws: {
      CloudWatchMetrics: Array.from({ length: 501 }, () => ({
        Namespace: "n",
        Dimensions: [[]],
        Metrics: [SOLD],
      })),
    },
    sold: 1,
  }),
  "a line without end": line({}, { sold: 1, more: "x".repeat(300_000) }),
};

for (const [what, text] of Object.entries(HOSTILE))
  test(`a line with ${what} counts for nothing, and is counted`, async () => {
    const telemetry = createTelemetry({ log: () => undefined, processMetrics: false });
    telemetry.functionLine("f", text);
    telemetry.functionLine("f", line({}, { sold: 1 }));
    const shown = await telemetry.metricsText();
    assert.equal(dropped(shown, "invalid"), 1);
    assert.match(shown, /embedded_samples_total\{[^}]*metric="sold"[^}]*\} 1\n/);
  });

test("a function makes a hundred series at most, and takes none of another's", async () => {
  const telemetry = createTelemetry({ log: () => undefined, processMetrics: false });
  for (let order = 0; order < 150; order++)
    telemetry.functionLine("f", line({ Dimensions: [["order"]] }, { order: `o-${order}`, sold: 1 }));
  telemetry.functionLine("g", line({}, { sold: 1 }));
  const shown = await telemetry.metricsText();
  assert.equal(shown.match(/^millrace_function_embedded_samples_total\{function="f"/gm)?.length, 100);
  assert.equal(shown.match(/^millrace_function_embedded_samples_total\{function="g"/gm)?.length, 1);
  assert.equal(dropped(shown, "too_many_series"), 50);
});

test("more than a thousand lines in a second are not read", async () => {
  let nowMs = 0;
  const clock = { monotonic: () => nowMs };
  const telemetry = createTelemetry({ log: () => undefined, processMetrics: false, clock });
  for (let count = 0; count < 1_500; count++) telemetry.functionLine("f", line({}, { sold: 1 }));
  nowMs = 1_000;
  telemetry.functionLine("f", line({}, { sold: 1 }));
  const shown = await telemetry.metricsText();
  assert.equal(dropped(shown, "too_many_lines"), 500);
  assert.match(shown, /embedded_samples_total\{[^}]*\} 1001\n/);
});
