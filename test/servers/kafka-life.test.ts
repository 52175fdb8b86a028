import { after, test } from "node:test";
import { leadLife } from "../integration/api/mapping-life.ts";
import { createCliClient } from "./aws-cli-client.ts";
import { startKafka } from "./kafka.ts";
import { createKafkaTopic } from "./kafka-topic.ts";

const server = await startKafka();
after(() => server.close());

const CALLERS = [
  { caller: "AWS's SDK", connect: undefined },
  { caller: "AWS's command line", connect: createCliClient },
];

for (const { caller, connect } of CALLERS)
  test(`${caller} leads a mapping of a Kafka topic through its life`, { timeout: 600_000 }, async (t) => {
    await using fixture = await createKafkaTopic(server, { partitions: 2 });
    const { topic, producer } = fixture;
    const servers = [...server.bootstrap()];
    const arn = "arn:aws:lambda:eu-west-1:000000000000:function:orders";
    await leadLife(
      t,
      {
        members: {
          SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: servers } },
          SourceAccessConfigurations: [],
          Topics: [topic],
          StartingPosition: "TRIM_HORIZON",
        },
        stateTransitionReason: "USER_INITIATED",
        isStream: true,
        existing: `An event source mapping with event source ("${servers.join(",")}"), function ("${arn}"), topics ("${topic}") already exists.`,
        missing: {
          members: { FunctionName: "orders:4", SourceAccessConfigurations: undefined },
          message: /^Required 'sourceAccessConfigurations' parameter is missing\.$/,
        },
        send: async (data) => void (await producer.send({ topic, messages: [{ key: "key", value: data }] })),
      },
      connect,
    );
  });
