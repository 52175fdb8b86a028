import { after, before, test } from "node:test";
import { useAwsEnvironment } from "../../servers/aws-environment.ts";
import { startKinesalite } from "../../servers/kinesalite.ts";
import { KinesisTestStream } from "../../servers/kinesis-stream.ts";
import type { TestServer } from "../../servers/server-process.ts";
import { leadLife } from "./mapping-life.ts";

let server: TestServer | undefined;
before(async () => {
  server = await startKinesalite();
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
});
after(() => server?.close());

test("AWS's SDK leads a mapping of a Kinesis stream through its life", async (t) => {
  const stream = await KinesisTestStream.create(server?.endpoint ?? "", 2);
  t.after(() => stream.close());
  const { arn } = stream;
  await leadLife(t, {
    members: { EventSourceArn: arn, StartingPosition: "TRIM_HORIZON" },
    stateTransitionReason: "User action",
    isStream: true,
    existing: `The event source arn (" ${arn} ") and function (" orders ") provided mapping already exists.`,
    missing: { members: { EventSourceArn: `${arn}-missing` }, message: /^Stream not found: .+-missing$/ },
    send: (data) => stream.put([{ key: "key", data }]),
  });
});
