import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createRuntimeFunction } from "../../src/functions/runtime/runtime-function.ts";
import { createTelemetry } from "../../src/telemetry/telemetry.ts";
import { installPython } from "../servers/aws-cli.ts";

const VERSION = "3.37.0";
const CODE = join(import.meta.dirname, "clients/powertools-python");

/** A layer as Lambda has it: the packages stand in its folder `python`. */
async function powertoolsLayer(t: TestContext): Promise<string> {
  const python = await installPython("aws-lambda-powertools", VERSION);
  const asked = spawnSync(python, ["-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], {
    encoding: "utf8",
  });
  const layer = mkdtempSync(join(tmpdir(), "millrace-powertools-"));
  t.after(() => rmSync(layer, { recursive: true }));
  symlinkSync(asked.stdout.trim(), join(layer, "python"));
  return layer;
}

const messageOf = (id: string, amount: number) => ({
  ...{ messageId: id, receiptHandle: "any", body: JSON.stringify({ id, amount }) },
  ...{ attributes: {}, messageAttributes: {}, md5OfBody: "", eventSource: "aws:sqs" },
  ...{ eventSourceARN: "arn:aws:sqs:eu-west-1:000000000000:orders", awsRegion: "eu-west-1" },
});

test("a handler with Powertools for Python tells its batch's failures, logs and metrics, unchanged", {
  timeout: 300_000,
}, async (t) => {
  const printed: string[] = [];
  const telemetry = createTelemetry({ log: () => undefined, processMetrics: false });
  const target = await createRuntimeFunction({
    ...{ functionName: "orders", runtime: "python3.13", handler: "app.handler", command: undefined },
    ...{ codeFolder: CODE, layerFolders: [await powertoolsLayer(t)], memoryMb: 512, concurrency: 1 },
    environment: {},
    log: {
      line({ fn, text }) {
        printed.push(text);
        telemetry.functionLine(fn, text);
      },
    },
  });
  t.after(() => target.close());
  const answers: unknown[] = [];
  for (const [requestId, Records] of [
    ["r-1", [messageOf("a", 2), messageOf("b", -1), messageOf("c", 3)]],
    ["r-2", [messageOf("d", 5)]],
  ] as const) {
    const functionArn = "arn:aws:lambda:eu-west-1:000000000000:function:orders";
    const outcome = await target.invoke(
      Buffer.from(JSON.stringify({ Records })),
      { requestId, functionName: "orders", functionArn, deadlineMs: 0, timeoutMs: 60_000, logs: "tail" },
      new AbortController().signal,
    );
    assert.equal(outcome.kind, "succeeded", JSON.stringify(outcome));
    answers.push(JSON.parse(Buffer.from("payload" in outcome ? outcome.payload : []).toString()));
  }
  assert.deepEqual(answers, [{ batchItemFailures: [{ itemIdentifier: "b" }] }, { batchItemFailures: [] }]);

  const logged = printed.flatMap((line) => {
    const entry: Record<string, unknown> = line.startsWith("{") ? JSON.parse(line) : {};
    return entry["message"] === "sold" ? [entry] : [];
  });
  assert.deepEqual(
    logged.map((entry) =>
      ["order", "function_request_id", "function_name", "cold_start"].map((of) => entry[of]),
    ),
    [
      ["a", "r-1", "orders", true],
      ["c", "r-1", "orders", true],
      ["d", "r-2", "orders", false],
    ],
  );
  const text = await telemetry.metricsText();
  const sum = (metric: string) =>
    text
      .split("\n")
      .find(
        (line) => line.startsWith("millrace_function_embedded_sum{") && line.includes(`metric="${metric}"`),
      )
      ?.split(" ")
      .at(-1);
  assert.deepEqual([sum("sold"), sum("ColdStart")], ["10", "1"], text);
});
