import { SHORT_LIVED } from "./java-options.ts";
import { installFromMaven } from "./maven-install.ts";
import { freePort, runningServer, startServerProcess, type TestServer } from "./server-process.ts";

const VERSION = "2.6.1";
const MAIN_CLASS = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner";
const PROBE_TIMEOUT_MS = 2_000;

/**
 * DynamoDB Local, in memory, on a free port; or the server that `MILLRACE_TEST_DYNAMODB_ENDPOINT` names. For tests
 * only: its licence forbids shipping it in the package or an image. It has no option to listen on the loopback
 * interface alone.
 */
export async function startDynamodbLocal(): Promise<TestServer> {
  return runningServer("MILLRACE_TEST_DYNAMODB_ENDPOINT") ?? (await startOwnDynamodbLocal(await freePort()));
}

/** With a `folder` it keeps what it has there, and the next that is started on it has it too. */
export async function startOwnDynamodbLocal(port: number, folder?: string): Promise<TestServer> {
  const jars = await installFromMaven({
    name: "DynamoDB Local",
    folder: `dynamodb-local-${VERSION}`,
    artifacts: [`com.amazonaws:DynamoDBLocal:${VERSION}`],
    alternative: "MILLRACE_TEST_DYNAMODB_ENDPOINT=http://127.0.0.1:8000",
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const virtualMachine = ["-Xmx512m", ...SHORT_LIVED, `-Djava.library.path=${jars}`, "-cp", `${jars}/*`];
  const place = folder === undefined ? ["-inMemory"] : ["-dbPath", folder];
  // Its ARNs name the region `ddblocal`; unshared, it keeps a database per region, and readers would look into another.
  const options = [...place, "-sharedDb", "-disableTelemetry", "-port", String(port)];
  return await startServerProcess({
    name: "DynamoDB Local",
    program: "java",
    args: [...virtualMachine, MAIN_CLASS, ...options],
    environment: { DDB_LOCAL_TELEMETRY: "0" },
    endpoint,
    isReady: () => answersAsDynamodb(endpoint),
  });
}

/** DynamoDB answers a request that is none with a 400 of its own. */
async function answersAsDynamodb(endpoint: string): Promise<boolean> {
  const response = await fetch(endpoint, { method: "POST", signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  await response.arrayBuffer();
  return response.status === 400;
}
