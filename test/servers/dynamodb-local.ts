import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { installDynamodbLocal, missingProgram } from "./dynamodb-local-install.ts";

export interface TestServer {
  readonly endpoint: string;
  /** Idempotent. */
  close(): Promise<void>;
}

const MAIN_CLASS = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner";
const START_TRIES = 3;
const READY_TIMEOUT_MS = 60_000;
const PROBE_INTERVAL_MS = 100;
const PROBE_TIMEOUT_MS = 2_000;
const STOP_TIMEOUT_MS = 5_000;

/**
 * DynamoDB Local, in memory, on a free port; or the server that `MILLRACE_TEST_DYNAMODB_ENDPOINT` names, which is left
 * running. For tests only: its licence forbids shipping it in the package or an image. It has no option to listen on the
 * loopback interface alone.
 */
export async function startDynamodbLocal(): Promise<TestServer> {
  const named = process.env["MILLRACE_TEST_DYNAMODB_ENDPOINT"];
  if (named) return useRunningServer(named);
  const folder = await installDynamodbLocal();
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const server = startServer(folder, port);
    const endpoint = `http://127.0.0.1:${port}`;
    try {
      await untilReady(endpoint, server);
      return { endpoint, close: () => stop(server.child) };
    } catch (error) {
      await stop(server.child);
      // The port may have been taken in the meantime.
      if (tries === START_TRIES || server.failure() !== undefined) throw error;
    }
  }
}

async function useRunningServer(endpoint: string): Promise<TestServer> {
  if (!(await answers(endpoint))) {
    throw new Error(`MILLRACE_TEST_DYNAMODB_ENDPOINT is ${endpoint}, but no DynamoDB answers there.`);
  }
  return { endpoint, close: async () => {} };
}

interface StartedServer {
  readonly child: ChildProcess;
  /** Why it could not be started at all. */
  failure(): Error | undefined;
  output(): string;
}

function startServer(folder: string, port: number): StartedServer {
  const words = ["-Xmx512m", `-Djava.library.path=${folder}`, "-cp", `${folder}/*`, MAIN_CLASS];
  // Its ARNs name the region `ddblocal`; unshared, it keeps a database per region, and readers would look into another.
  const options = ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", String(port)];
  const child = spawn("java", [...words, ...options], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, DDB_LOCAL_TELEMETRY: "0" },
  });
  let output = "";
  let failure: Error | undefined;
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.on("error", (error: NodeJS.ErrnoException) => {
    failure = error.code === "ENOENT" ? missingProgram("java") : error;
  });
  // A test process that ends without `close` must not leave a server behind.
  process.once("exit", () => child.kill("SIGKILL"));
  return { child, failure: () => failure, output: () => output };
}

async function untilReady(endpoint: string, { child, failure, output }: StartedServer): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadlineMs) {
    const reason = failure();
    if (reason !== undefined) throw reason;
    if (child.exitCode !== null) throw new Error(`DynamoDB Local ended at once:\n${output()}`);
    if (await answers(endpoint)) return;
    await sleep(PROBE_INTERVAL_MS);
  }
  throw new Error(`DynamoDB Local did not answer within ${READY_TIMEOUT_MS} ms:\n${output()}`);
}

/** DynamoDB answers a request that is none with a 400 of its own. */
async function answers(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(endpoint, { method: "POST", signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.status === 400;
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
