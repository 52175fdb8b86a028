import { after, before, test } from "node:test";
import { useAwsEnvironment } from "../../servers/aws-environment.ts";
import { startKinesalite } from "../../servers/kinesalite.ts";
import type { TestServer } from "../../servers/server-process.ts";
import { createStreamLife } from "./kinesis-life.ts";
import { leadLife } from "./mapping-life.ts";

let server: TestServer | undefined;
before(async () => {
  server = await startKinesalite();
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
});
after(() => server?.close());

test("AWS's SDK leads a mapping of a Kinesis stream through its life", async (t) => {
  const life = await createStreamLife(server?.endpoint ?? "");
  t.after(() => life.close());
  await leadLife(t, life);
});
