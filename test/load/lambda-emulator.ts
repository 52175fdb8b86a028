import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { Agent, request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../servers/cache-folder.ts";

const MODULE = "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie";
const VERSION = "v0.0.0-20261030222936-bef5c4ba774d";
const BUILD_MS_MAX = 20 * 60_000;
const START_MS_MAX = 30_000;
const PATH = "/2015-03-31/functions/function/invocations";
const CLIENT = fileURLToPath(new URL("../../src/functions/runtime/node-client.ts", import.meta.url));

export interface LambdaEmulator {
  readonly pid: number;
  invoke(payload: Uint8Array): Promise<void>;
  close(): void;
}

/**
 * AWS's own emulator of Lambda's runtime, with `index.handler` of a folder by the client for Node that functions have
 * here. `undefined`: Go is not there, or its module cannot be had.
 */
export async function startLambdaEmulator(codeFolder: string): Promise<LambdaEmulator | undefined> {
  const program = built();
  if (program === undefined) return undefined;
  const [port, runtimePort] = [await freePort(), await freePort()];
  const words = [
    ...["--log-level", "error"],
    ...["--runtime-interface-emulator-address", `127.0.0.1:${port}`],
    ...["--runtime-api-address", `127.0.0.1:${runtimePort}`],
  ];
  const env = {
    PATH: process.env["PATH"],
    LAMBDA_TASK_ROOT: codeFolder,
    _HANDLER: "index.handler",
    AWS_LAMBDA_FUNCTION_NAME: "emulated",
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "512",
  };
  const child = spawn(program, [...words, process.execPath, CLIENT], {
    ...{ cwd: codeFolder, env, stdio: "ignore", detached: true },
  });
  const pid = child.pid ?? 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const close = () => {
    agent.destroy();
    // Its function is of its group.
    process.kill(-pid, "SIGKILL");
  };
  const emulator = { pid, invoke: (payload: Uint8Array) => post(port, agent, payload), close };
  for (const until = Date.now() + START_MS_MAX; ; await sleep(100)) {
    try {
      await emulator.invoke(Buffer.from("{}"));
      return emulator;
    } catch (error) {
      if (Date.now() < until) continue;
      close();
      throw error;
    }
  }
}

function built(): string | undefined {
  const folder = join(cacheFolder(), `lambda-emulator-${VERSION}`);
  const program = join(folder, "aws-lambda-rie");
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const env = { ...process.env, GOBIN: folder };
  spawnSync("go", ["install", `${MODULE}@${VERSION}`], { env, stdio: "inherit", timeout: BUILD_MS_MAX });
  return existsSync(program) ? program : undefined;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function post(port: number, agent: Agent, payload: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const place = { host: "127.0.0.1", port, path: PATH, method: "POST", agent };
    const call = request({ ...place, headers: { "content-length": payload.length } }, (answer) => {
      answer.resume().once("end", () => {
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`the emulator answered ${answer.statusCode}`));
      });
    });
    call.once("error", reject).end(payload);
  });
}
