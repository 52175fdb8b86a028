import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, type Dispatcher, request } from "undici";
import { buildGoCommand, installOnce } from "../deploy/tools/go.ts";
import { cacheFolder } from "./cache-folder.ts";
import { unpackDebianPackages } from "./debian-packages.ts";
import { freePort, type ServerProcess, startServerProcess } from "./server-process.ts";

const VERSION = "1.36.3";
const COMMAND = "kube-apiserver";
/** A canary as well. */
export const ADMIN_TOKEN = "canary-admin-token-of-kubernetes";
export const ENGINE_TOKEN = "canary-engine-token-of-kubernetes";
const SOURCE = join(import.meta.dirname, "kubernetes");
const READY_MS_MAX = 180_000;

/** An API server of Kubernetes with its own etcd, and nobody who runs pods. */
export interface KubernetesServer {
  readonly endpoint: string;
  /** For a client with the rights of `user`. */
  kubeconfig(user: "admin" | "engine", namespace: string): Promise<string>;
  /** With the rights of everything. @throws Error with the server's words for a status above 299 */
  ask(
    method: Dispatcher.HttpMethod,
    path: string,
    body?: unknown,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** As a crash: what it holds is there at the next start. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The build takes ten minutes of a processor: it is made by `npm run test:servers:all`, and kept in the user's cache.
 * False: it is neither there nor asked for.
 */
export function hasKubernetes(): boolean {
  const isBuilt = existsSync(join(cacheFolder(), `${COMMAND}-${VERSION}`));
  return isBuilt || process.env["MILLRACE_TEST_ALL"] === "yes";
}

export async function startKubernetes(): Promise<KubernetesServer> {
  const program = buildGoCommand(COMMAND, SOURCE, VERSION);
  const folder = await mkdtemp(join(tmpdir(), "millrace-kubernetes-"));
  const [port, etcdPort, peerPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const etcd = await startEtcd(folder, etcdPort, peerPort);
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const tokens = [`${ADMIN_TOKEN},admin,1,"system:masters"`, `${ENGINE_TOKEN},engine,2`].join("\n");
  const args = [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    ...["--bind-address=127.0.0.1", `--secure-port=${port}`, `--cert-dir=${join(folder, "certs")}`],
    `--token-auth-file=${await file("tokens.csv", tokens)}`,
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${await file("sa.pub", pem(publicKey))}`,
    `--service-account-signing-key-file=${await file("sa.key", pem(privateKey))}`,
    ...["--service-cluster-ip-range=10.0.0.0/24", "--disable-admission-plugins=ServiceAccount"],
  ];
  const endpoint = `https://127.0.0.1:${port}`;
  // Its certificate is its own, made at its start.
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  const send = (method: Dispatcher.HttpMethod, path: string, body?: unknown) =>
    request(endpoint + path, {
      method,
      dispatcher,
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const launch = () =>
    startServerProcess({
      name: COMMAND,
      program,
      args,
      endpoint,
      readyMsMax: READY_MS_MAX,
      isReady: async () => (await send("GET", "/readyz").then(statusOf, () => 0)) === 200,
    });
  let server: ServerProcess = await launch();
  return {
    endpoint,
    kubeconfig: (user, namespace) => file(`${user}.yaml`, kubeconfigText(endpoint, user, namespace)),
    async ask(method, path, body) {
      const answer = await send(method, path, body);
      const text = await answer.body.text();
      if (answer.statusCode > 299) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
      return JSON.parse(text);
    },
    stop: () => server.end("SIGKILL"),
    async start() {
      server = await launch();
    },
    async close() {
      await server.close();
      await etcd.close();
      await dispatcher.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function statusOf({ statusCode, body }: Dispatcher.ResponseData): Promise<number> {
  await body.dump();
  return statusCode;
}

function startEtcd(folder: string, port: number, peerPort: number): Promise<ServerProcess> {
  const program = installOnce("etcd-debian", "usr/bin/etcd", (target) => {
    const alternative = "etcd for tests is Debian's package etcd-server, unpacked into the cache.";
    unpackDebianPackages({ packages: ["etcd-server"], withDependencies: false, alternative }, target);
  });
  const [url, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  return startServerProcess({
    name: "etcd",
    program,
    args: [
      ...["--data-dir", join(folder, "etcd"), "--listen-client-urls", url, "--advertise-client-urls", url],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
      ...["--initial-cluster", `default=${peer}`, "--log-level", "warn"],
    ],
    endpoint: url,
    readyMsMax: READY_MS_MAX,
    isReady: async () => (await request(`${url}/health`).then(statusOf, () => 0)) === 200,
  });
}

function pem(key: KeyObject): string {
  return String(key.export({ type: key.type === "private" ? "pkcs8" : "spki", format: "pem" }));
}

function kubeconfigText(server: string, user: string, namespace: string): string {
  return JSON.stringify({
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user, namespace } }],
    clusters: [{ name: "test", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: user, user: { token: user === "admin" ? ADMIN_TOKEN : ENGINE_TOKEN } }],
  });
}
