import { AWS_TEST_REGION } from "./aws-environment.ts";
import { SHORT_LIVED } from "./java-options.ts";
import { installFromMaven } from "./maven-install.ts";
import {
  answersHttp,
  freePort,
  runningServer,
  startServerProcess,
  type TestServer,
} from "./server-process.ts";

const VERSION = "1.7.1";
const MAIN_CLASS = "org.elasticmq.server.Main";

/**
 * ElasticMQ: SQS with FIFO queues as AWS has them, in memory, on a free loopback port; or the server that
 * `MILLRACE_TEST_ELASTICMQ_ENDPOINT` names. `elasticmq.test.ts` says how it differs from AWS.
 */
export async function startElasticmq(): Promise<TestServer> {
  const running = runningServer("MILLRACE_TEST_ELASTICMQ_ENDPOINT");
  if (running !== undefined) return running;
  const folder = await installFromMaven({
    name: "ElasticMQ",
    folder: `elasticmq-${VERSION}`,
    artifacts: [
      `org.elasticmq:elasticmq-server_2.13:${VERSION}`,
      `org.elasticmq:elasticmq-rest-sqs_2.13:${VERSION}`,
    ],
    alternative: "MILLRACE_TEST_ELASTICMQ_ENDPOINT=http://127.0.0.1:9324",
  });
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const settings = {
    "rest-sqs.bind-hostname": "127.0.0.1",
    "rest-sqs.bind-port": port,
    // What its queue URLs say.
    "node-address.host": "127.0.0.1",
    "node-address.port": port,
    "rest-stats.enabled": false,
    // What its ARNs say.
    "aws.region": AWS_TEST_REGION,
  };
  const properties = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
  return await startServerProcess({
    name: "ElasticMQ",
    program: "java",
    args: ["-Xmx512m", ...SHORT_LIVED, ...properties, "-cp", `${folder}/*`, MAIN_CLASS],
    endpoint,
    isReady: () => answersHttp(`${endpoint}/health`),
  });
}
