import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installOnce } from "../deploy/tools/go.ts";
import { unpackDebianPackages } from "./debian-packages.ts";
import { freePort, startServerProcess, type TestServer } from "./server-process.ts";

/** Redis of Debian on a free loopback port that writes each command to the disk before it answers. */
export async function startRedis(): Promise<TestServer & { readonly port: number }> {
  const root = installRedis();
  const folder = await mkdtemp(join(tmpdir(), "millrace-redis-"));
  const port = await freePort();
  const settings = ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", folder];
  const server = await startServerProcess({
    name: "Redis",
    program: join(root, "bin/redis-server"),
    args: ["--bind", "127.0.0.1", "--port", String(port), ...settings],
    environment: { LD_LIBRARY_PATH: libraries(root) },
    endpoint: `redis://127.0.0.1:${port}`,
    isReady: () => accepts(port),
  });
  const close = async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { endpoint: server.endpoint, port, close };
}

/** What stands for `/usr`. */
function installRedis(): string {
  return installOnce("redis-debian", "usr", (folder) => {
    const alternative = "Benchmarks against BullMQ need Redis of Debian, which apt-get fetches.";
    const packages = ["redis-server", "redis-tools"];
    unpackDebianPackages({ packages, withDependencies: true, alternative }, folder);
  });
}

function libraries(root: string): string {
  const triple = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  return [join(root, "lib", triple), join(root, "../lib", triple)].join(":");
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("data", (answer) => {
      socket.destroy();
      resolve(answer.toString().startsWith("+PONG"));
    });
    socket.write("PING\r\n");
  });
}
