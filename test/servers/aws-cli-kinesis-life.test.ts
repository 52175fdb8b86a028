import { after, before, test } from "node:test";
import { createStreamLife } from "../integration/api/kinesis-life.ts";
import { leadLife } from "../integration/api/mapping-life.ts";
import { createCliClient } from "./aws-cli-client.ts";
import { useAwsEnvironment } from "./aws-environment.ts";
import { startKinesalite } from "./kinesalite.ts";
import type { TestServer } from "./server-process.ts";

let server: TestServer | undefined;
before(async () => {
  server = await startKinesalite();
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
});
after(() => server?.close());

test("AWS's command line leads a mapping of a Kinesis stream through its life", {
  timeout: 600_000,
}, async (t) => {
  const life = await createStreamLife(server?.endpoint ?? "");
  t.after(() => life.close());
  await leadLife(t, life, createCliClient);
});
