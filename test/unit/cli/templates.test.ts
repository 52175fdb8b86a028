import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { CONNECTORS } from "../../../connectors/registry.ts";
import { folderWith } from "../manifests/manifest-samples.ts";
import { runWords } from "./captured-host.ts";

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Parameters: { Size: { Type: Number, Default: 10 } }
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      CodeUri: orders
      Events:
        Records:
          Type: Kinesis
          Properties: { Stream: !GetAtt Stream.Arn, StartingPosition: LATEST, BatchSize: !Ref Size }
  Stream: { Type: AWS::Kinesis::Stream, Properties: { Name: orders } }
`;

test("import sam prints manifests, remarks beside them, and validate takes what it printed and the template alike", async (t) => {
  const files = { "template.yaml": TEMPLATE, "orders/index.js": "exports.handler = async () => null;\n" };
  const folder = folderWith(t, files);
  const template = join(folder, "template.yaml");
  const printed = await runWords(["import", "sam", template, "--parameter", "Size=7"], {
    connectors: CONNECTORS,
  });
  assert.equal(printed.status, 0);
  assert.equal(
    printed.stderr.replaceAll(`${folder}/`, ""),
    "template.yaml:14:3: Stream: AWS::Kinesis::Stream is not run here. It is taken to be there as orders.\n",
  );
  assert.match(printed.stdout, /batchSize: 7\n/);
  const manifests = folderWith(t, { ...files, "m.yaml": printed.stdout });
  for (const file of [join(manifests, "m.yaml"), template]) {
    const { status, stdout } = await runWords(["validate", "-f", file], { connectors: CONNECTORS });
    assert.deepEqual([status, stdout], [0, "Valid: 1 function, 1 mapping.\n"], file);
  }
});

test("what a manifest would be told is told at the template's own line", async (t) => {
  const folder = folderWith(t, { "template.yaml": TEMPLATE });
  const words = ["validate", "-f", join(folder, "template.yaml"), "--parameter", "Size=0"];
  const { status, stderr } = await runWords(words, { connectors: CONNECTORS });
  assert.equal(status, 2);
  assert.deepEqual(stderr.replaceAll(`${folder}/`, "").split("\n").slice(0, 3), [
    "template.yaml:9:16: Function Orders, spec.code: There is nothing at orders. Give the folder or zip of the code, relative to the folder of this manifest.",
    "template.yaml:13:95: EventSourceMapping OrdersRecords, spec.batchSize: 1 validation error detected: Value '0' at 'batchSize' failed to satisfy constraint: Member must have value greater than or equal to 1. Give a whole number from 1 to 10000. Most records of one invocation. Default 100, and 10 for queues; a FIFO queue, or a queue without a batching window, has at most 10. ActiveMQ: 100 is the default, up to 10000. RabbitMQ: 100 is the default, up to 10000.",
    "2 problems.",
  ]);
});

test("a file that is no template, and flags that are none, are refused", async (t) => {
  const folder = folderWith(t, { "m.yaml": "kind: Function\n", "t.yaml": TEMPLATE });
  const of = async (...words: string[]) =>
    (await runWords(["import", "sam", ...words], { connectors: CONNECTORS })).stderr.replaceAll(
      `${folder}/`,
      "",
    );
  assert.match(await of(join(folder, "m.yaml")), /m\.yaml is no template: it has no Resources at its top/);
  assert.match(await of(join(folder, "lost.yaml")), /lost\.yaml cannot be read/);
  assert.match(
    await of(join(folder, "t.yaml"), "--parameter", "Size"),
    /--parameter is "Size"\. Give NAME=VALUE/,
  );
  assert.match(await of(join(folder, "t.yaml"), "--parameter", "Sise=1"), /no parameter "Sise"/);
});
