import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

/** A server that tests run against. */
export interface TestServer {
  readonly endpoint: string;
  /** Ends the server, when this test process started it. Idempotent. */
  close(): Promise<void>;
}

/** A server that this test process started. */
export interface ServerProcess extends TestServer {
  /** To stop and continue it, say. */
  signal(name: NodeJS.Signals): void;
  /** Ends it with this signal, and waits until it has. */
  end(name: NodeJS.Signals): Promise<void>;
}

export interface ServerCommand {
  /** For messages: `kinesis-local`. */
  readonly name: string;
  /** Default: this Node. */
  readonly program?: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Whose rights it has. Default: this process's. */
  readonly user?: ServerUser;
  /** Default: SIGKILL. */
  readonly stopSignal?: NodeJS.Signals;
  readonly endpoint: string;
  /** How long its start may take on a machine that is very busy. */
  readonly readyMsMax?: number;
  /** Resolves to true once the server answers; asked again until then. */
  isReady(): Promise<boolean>;
}

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

const LOOPBACK_ONLY = fileURLToPath(new URL("loopback-only.cjs", import.meta.url));
const READY_MS_MAX = 60_000;
const PROBE_INTERVAL_MS = 50;
const OUTPUT_CHARS_MAX = 4_000;

const running = new Map<ChildProcess, NodeJS.Signals>();

// A test process that ends, however it does, leaves no server behind; SIGKILL alone is beyond this.
process.on("exit", () => {
  for (const [child, stopSignal] of running) child.kill(stopSignal);
});

/**
 * Starts a server as a process of its own and waits until it answers. One that runs on this Node listens on loopback
 * only.
 */
export async function startServerProcess(command: ServerCommand): Promise<ServerProcess> {
  const { program = process.execPath, args, stopSignal = "SIGKILL" } = command;
  const nodeArgs = command.program === undefined ? ["--require", LOOPBACK_ONLY] : [];
  const child = spawn(program, [...nodeArgs, ...args], {
    env: { ...process.env, ...command.environment },
    stdio: ["ignore", "pipe", "pipe"],
    ...command.user,
  });
  running.set(child, stopSignal);
  let output = "";
  const keep = (text: string) => {
    output = (output + text).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  child.on("error", (error) => keep(error.message));
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      hasEnded = true;
      running.delete(child);
      resolve();
    });
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  const close = () => end(stopSignal);
  const startMs = performance.now();
  while (!(await command.isReady().catch(() => false))) {
    if (hasEnded || performance.now() - startMs > (command.readyMsMax ?? READY_MS_MAX)) {
      await close();
      throw new Error(`${command.name} ${hasEnded ? "ended" : "did not answer"} at its start: ${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL_MS));
  }
  const signal = (name: NodeJS.Signals) => {
    child.kill(name);
  };
  return { endpoint: command.endpoint, signal, end, close };
}

/** A server that somebody else runs: `close` leaves it alone. */
export function runningServer(variable: string): TestServer | undefined {
  const endpoint = process.env[variable];
  return endpoint === undefined || endpoint === "" ? undefined : { endpoint, close: async () => undefined };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address !== "object") throw new Error("no port to listen on");
  return address.port;
}

/** Whether something speaks HTTP there; any status will do. */
export async function answersHttp(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return true;
}
