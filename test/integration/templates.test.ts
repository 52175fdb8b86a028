import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { MillraceProcess } from "./cli/millrace-process.ts";

/** A function in Python on a stream and one in Node on a queue, whose code stands in the template. */
const TEMPLATE = `AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Parameters:
  Out: { Type: String }
  Batch: { Type: Number, Default: 10 }
Globals:
  Function:
    Timeout: 20
    Environment: { Variables: { OUT: !Ref Out, WHO: !Sub "\${AWS::StackName}" } }
Resources:
  Orders: { Type: AWS::Kinesis::Stream, Properties: { Name: orders, ShardCount: 1 } }
  Mail: { Type: AWS::SQS::Queue, Properties: { QueueName: mail } }
  Table: { Type: AWS::DynamoDB::Table }
  OnOrder:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: |
        import base64, os
        def handler(event, context):
            with open(os.environ["OUT"], "a") as out:
                for record in event["Records"]:
                    data = base64.b64decode(record["kinesis"]["data"]).decode()
                    out.write("python %s %s %s\\n" % (os.environ["WHO"], context.function_name, data))
      AutoPublishAlias: live
      Events:
        Records:
          Type: Kinesis
          Properties: { Stream: !GetAtt Orders.Arn, StartingPosition: TRIM_HORIZON, BatchSize: !Ref Batch }
  OnMail:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: on-mail
      Runtime: nodejs24.x
      Handler: index.handler
      Timeout: 20
      Environment: { Variables: { OUT: !Ref Out } }
      Code:
        ZipFile: |
          const { appendFileSync } = require("node:fs");
          exports.handler = async (event) => {
            for (const { body } of event.Records) appendFileSync(process.env.OUT, "node " + body + "\\n");
          };
  MailMapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: { FunctionName: !Ref OnMail, EventSourceArn: !GetAtt Mail.Arn }
`;

test("a template runs as it is: a function in Python on its stream, one in Node on its queue", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-template-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "template.yaml"), TEMPLATE);
  await done(t, folder, "streams", "create", "orders", "--file", "s.db");
  await done(t, folder, "queues", "create", "mail", "--file", "s.db");
  await done(t, folder, "streams", "put", "orders", "one", "two", "--key", "k", "--file", "s.db");
  await done(t, folder, "queues", "send", "mail", "hello", "--file", "s.db");
  const out = join(folder, "out.txt");
  const given = [
    "-f",
    "template.yaml",
    "--embedded",
    "s.db",
    "--parameter",
    `Out=${out}`,
    "--stack-name",
    "shop",
  ];
  const run = await done(
    t,
    folder,
    "run",
    ...given,
    "--until-caught-up",
    "--store",
    "memory:",
    "--api",
    "off",
  );
  assert.deepEqual(readFileSync(out, "utf8").trimEnd().split("\n").toSorted(), [
    "node hello",
    "python shop OnOrder one",
    "python shop OnOrder two",
  ]);
  assert.match(run.stderr, /^template\.yaml:13:3: Table: AWS::DynamoDB::Table is not run here\./m);
});

async function done(t: TestContext, folder: string, ...words: string[]): Promise<MillraceProcess> {
  const millrace = new MillraceProcess(t, words, folder);
  const { status } = await millrace.ended;
  assert.equal(status, 0, millrace.stdout + millrace.stderr);
  return millrace;
}
