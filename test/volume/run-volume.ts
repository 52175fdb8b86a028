import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { awsEnvironment } from "../servers/aws-environment.ts";
import { startDynamodbLocal } from "../servers/dynamodb-local.ts";
import { startPostgres } from "../servers/postgres.ts";
import { startFeed } from "./volume-feed.ts";
import type { VolumeRun, VolumeSample, VolumeWork } from "./volume-plan.ts";

/** A feeder may be so many steps ahead of what was delivered. */
const STEPS_AHEAD = 2;

interface Served {
  readonly url: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  close(): void | Promise<void>;
}

export interface VolumeBytes {
  readonly stepBytes: number;
  readonly totalBytes: number;
}

/** Takes the bytes through an engine in a process of its own and gives what that held, step by step. */
export async function runVolume(
  run: VolumeRun,
  { stepBytes, totalBytes }: VolumeBytes,
  onSample: (sample: VolumeSample) => void = () => {},
): Promise<VolumeSample[]> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "millrace-volume-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const feed = await startFeed(run, folder, totalBytes);
  stack.defer(() => feed.close());
  const store = await startStore(run);
  stack.defer(() => store.close());
  const sink = run.fn === "module" ? undefined : await startSink();
  stack.defer(() => sink?.close());
  const work: VolumeWork = {
    ...run,
    ...{ folder, place: feed.place, stepBytes, totalBytes },
    functionUrl: sink?.url,
    storeUrl: store.url,
  };
  const engine = fork(join(import.meta.dirname, "volume-engine.ts"), [JSON.stringify(work)], {
    execArgv: ["--expose-gc"],
    env: { ...process.env, ...awsEnvironment({}), ...feed.env, ...store.env },
  });
  stack.defer(() => void engine.kill("SIGKILL"));
  const samples: VolumeSample[] = [];
  feed.allow(STEPS_AHEAD * stepBytes);
  engine.on("message", (sample: VolumeSample) => {
    samples.push(sample);
    feed.allow((samples.length + STEPS_AHEAD) * stepBytes);
    onSample(sample);
  });
  const [status] = await once(engine, "exit");
  if (status !== 0) throw new Error(`the engine's process ended with status ${String(status)}`);
  return samples;
}

async function startStore({ store }: VolumeRun): Promise<Served> {
  switch (store) {
    case "memory":
    case "sqlite":
      return { url: undefined, env: {}, close() {} };
    case "postgres": {
      const server = await startPostgres();
      return { url: await server.createDatabase(), env: {}, close: () => server.close() };
    }
    case "dynamodb": {
      const server = await startDynamodbLocal();
      const env = { AWS_ENDPOINT_URL_DYNAMODB: server.endpoint };
      return { url: undefined, env, close: () => server.close() };
    }
  }
}

/** An HTTP function, or a Lambda service of one function, that takes what comes and answers at once. */
async function startSink(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.on("end", () => response.end("null")).resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
