import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { startCannedDynamodb } from "../load/dynamodb-server.ts";
import { startCannedKinesis } from "../load/kinesis-server.ts";
import { startCannedSqs } from "../load/sqs-server.ts";
import { awsEnvironment } from "../servers/aws-environment.ts";
import type { VolumeRun, VolumeSample, VolumeWork } from "./volume-plan.ts";

const SHARDS = 2;
const WITHOUT_END = 1_000_000_000;
const MESSAGE_BYTES = 1_024;
/** Payloads are larger than what they carry, so this much is enough; what is left over is not read. */
const FEED_SHARE = 1.2;

interface Feed {
  readonly place: string;
  readonly env: Readonly<Record<string, string>>;
  close(): void | Promise<void>;
}

/** Takes the bytes through an engine in a process of its own and gives what that held, step by step. */
export async function runVolume(
  run: VolumeRun,
  stepBytes: number,
  totalBytes: number,
): Promise<VolumeSample[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-volume-"));
  const feed = await startFeed(run, folder, totalBytes * FEED_SHARE);
  const sink = run.fn === "http" ? await startSink() : undefined;
  try {
    const work: VolumeWork = {
      ...run,
      folder,
      place: feed.place,
      functionUrl: sink?.url,
      stepBytes,
      totalBytes,
    };
    const engine = fork(join(import.meta.dirname, "volume-engine.ts"), [JSON.stringify(work)], {
      execArgv: ["--expose-gc"],
      env: { ...process.env, ...feed.env },
    });
    const samples: VolumeSample[] = [];
    engine.on("message", (sample: VolumeSample) => samples.push(sample));
    const [status] = await once(engine, "exit");
    if (status !== 0) throw new Error(`the engine's process ended with status ${String(status)}`);
    return samples;
  } finally {
    await feed.close();
    sink?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startFeed({ source }: VolumeRun, folder: string, bytes: number): Promise<Feed> {
  switch (source) {
    case "kinesis": {
      const { endpoint, close } = await startCannedKinesis(SHARDS, WITHOUT_END);
      return { place: endpoint, env: awsEnvironment({ AWS_ENDPOINT_URL_KINESIS: endpoint }), close };
    }
    case "dynamodb-streams": {
      const { endpoint, close } = await startCannedDynamodb(SHARDS, WITHOUT_END);
      return { place: endpoint, env: awsEnvironment({ AWS_ENDPOINT_URL_DYNAMODB_STREAMS: endpoint }), close };
    }
    case "sqs": {
      const server = await startCannedSqs();
      // Ends when the server does: then nobody waits for the rest.
      server.drain("volume", Math.ceil(bytes / MESSAGE_BYTES)).catch(() => undefined);
      const env = awsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
      return { place: server.endpoint, env, close: () => server.close() };
    }
    case "kafka": {
      const broker = spawn(
        process.execPath,
        [join(import.meta.dirname, "../unit/connectors/kafka/flood-broker.ts")],
        {
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      const [port] = await once(createInterface({ input: broker.stdout }), "line");
      return { place: `127.0.0.1:${String(port)}`, env: {}, close: () => ended(broker) };
    }
    case "local-stream":
    case "local-queue":
      return startLocalFeed(source, join(folder, "feed.db"), bytes);
  }
}

async function startLocalFeed(kind: string, path: string, bytes: number): Promise<Feed> {
  const file = openStreamFile(path);
  if (kind === "local-stream") file.createStream({ name: "volume", shards: SHARDS });
  else file.createQueue({ name: "volume" });
  file.close();
  const feeder = fork(join(import.meta.dirname, "local-feed.ts"), [path, kind, String(bytes)]);
  return { place: path, env: {}, close: () => ended(feeder) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** An HTTP function that takes what comes and answers at once. */
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
