import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Attached, attach } from "../../src/functions/attach/attach.ts";
import { HttpEndpoints } from "../../src/functions/http-endpoints.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { createSystemClock } from "../../src/system/clock.ts";

const CLIENT = fileURLToPath(new URL("../../src/functions/runtime/node-client.ts", import.meta.url));

/** A process as a container has it: whoever runs it starts it again when it ends. */
export class Container {
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #isStopped = false;
  starts = 0;

  constructor(runtime: string, code: string, environment: Readonly<Record<string, string>> = {}) {
    this.#environment = {
      AWS_LAMBDA_RUNTIME_API: runtime,
      _HANDLER: "index.handler",
      LAMBDA_TASK_ROOT: code,
      AWS_LAMBDA_FUNCTION_NAME: "orders",
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "512",
      ...environment,
    };
  }

  start(): void {
    this.starts += 1;
    this.#child = spawn(process.execPath, [CLIENT], { env: { ...this.#environment }, stdio: "ignore" });
    this.#child.once("exit", () => {
      if (!this.#isStopped) this.start();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#child?.kill("SIGKILL");
  }
}

export async function untilReady({ url }: Attached): Promise<void> {
  while ((await fetch(`${url}/readyz`)).status !== 200) await new Promise((go) => setTimeout(go, 20));
}

export interface Pods {
  /** All of them, as the engine calls those of a name. */
  readonly target: FunctionTarget;
  close(): Promise<void>;
}

/** So many sidecars, each with its container, at one port of as many addresses, as pods have them. */
export async function startPods(
  count: number,
  code: string,
  environment: Readonly<Record<string, string>>,
): Promise<Pods> {
  const clock = createSystemClock();
  const sidecars: Attached[] = [];
  const containers: Container[] = [];
  let port = 0;
  for (let index = 0; index < count; index++) {
    const runtime = { host: "127.0.0.1", port: 0 };
    const sidecar = await attach({ runtime, serve: { host: addressOf(index), port }, clock });
    port = Number(new URL(sidecar.url).port);
    sidecars.push(sidecar);
    const container = new Container(sidecar.runtimeAddress, code, environment);
    containers.push(container);
    container.start();
  }
  await Promise.all(sidecars.map(untilReady));
  const addresses = sidecars.map((_, index) => addressOf(index));
  const target = new HttpEndpoints({
    url: `http://pods:${port}/`,
    perEndpoint: 1,
    addressesOf: async () => addresses,
    clock,
  });
  return {
    target,
    async close() {
      await target.close();
      for (const container of containers) container.stop();
      await Promise.all(sidecars.map((sidecar) => sidecar.close()));
    },
  };
}

/** Linux listens at any address of 127.0.0.0/8. */
function addressOf(index: number): string {
  return `127.0.0.${1 + index}`;
}
