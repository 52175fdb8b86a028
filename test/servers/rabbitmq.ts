import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ChannelModel, connect, type Options } from "amqplib";
import { installOnce } from "../deploy/tools/go.ts";
import { unpackDebianPackages } from "./debian-packages.ts";
import { freePort, type ServerProcess, startServerProcess } from "./server-process.ts";

/** A canary as well: what tests must never find in a log or an error. */
export const RABBITMQ_USER = "millrace";
export const RABBITMQ_PASSWORD = "pass:word/with@signs";
const USER = { name: RABBITMQ_USER, password: RABBITMQ_PASSWORD, tags: "administrator" };
/** Erlang makes all of its modules ready first. */
const READY_MS_MAX = 180_000;
const TLS = join(import.meta.dirname, "../fixtures/tls");

export interface RabbitServer {
  /** `amqp://127.0.0.1:PORT`, without a login. */
  readonly endpoint: string;
  /** The same with TLS; only where it was asked for. */
  readonly tlsEndpoint: string;
  /** A connection of the test's own, which closing ends. */
  connect(virtualHost?: string): Promise<ChannelModel>;
  /** A crash: durable queues and persistent messages are there at the next start. */
  kill(): Promise<void>;
  start(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  close(): Promise<void>;
}

export interface RabbitServerOptions {
  /** Milliseconds. The broker looks once a minute by default; with it, as often as this. */
  readonly consumerTimeoutMs?: number;
  readonly virtualHosts?: readonly string[];
  readonly tls?: boolean;
}

/** RabbitMQ of Debian on free loopback ports, with its data in a folder of its own. */
export async function startRabbitmq({
  consumerTimeoutMs,
  virtualHosts = [],
  tls = false,
}: RabbitServerOptions = {}): Promise<RabbitServer> {
  const installed = installRabbitmq();
  const folder = await mkdtemp(join(tmpdir(), "millrace-rabbitmq-"));
  const [port, tlsPort, distributionPort, namesPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const settings = [
    "loopback_users = none",
    "disk_free_limit.absolute = 50MB",
    `default_user = ${RABBITMQ_USER}`,
    `default_pass = ${RABBITMQ_PASSWORD}`,
    `listeners.tcp.default = 127.0.0.1:${port}`,
    `load_definitions = ${join(folder, "definitions.json")}`,
    ...(consumerTimeoutMs === undefined
      ? []
      : [`consumer_timeout = ${consumerTimeoutMs}`, `channel_tick_interval = ${consumerTimeoutMs}`]),
    ...(tls
      ? [
          `listeners.ssl.default = 127.0.0.1:${tlsPort}`,
          `ssl_options.cacertfile = ${join(TLS, "root.crt")}`,
          `ssl_options.certfile = ${join(TLS, "server.crt")}`,
          `ssl_options.keyfile = ${join(TLS, "server.key")}`,
          "ssl_options.verify = verify_peer",
          "ssl_options.fail_if_no_peer_cert = false",
          "auth_mechanisms.1 = PLAIN",
          "auth_mechanisms.2 = EXTERNAL",
          "ssl_cert_login_from = common_name",
        ]
      : []),
  ];
  const hosts = ["/", ...virtualHosts];
  const definitions = {
    users: [],
    vhosts: hosts.map((name) => ({ name })),
    permissions: hosts.map((vhost) => ({
      user: RABBITMQ_USER,
      vhost,
      configure: ".*",
      write: ".*",
      read: ".*",
    })),
  };
  await writeFile(join(folder, "rabbitmq.conf"), `${settings.join("\n")}\n`);
  await writeFile(join(folder, "enabled_plugins"), tls ? "[rabbitmq_auth_mechanism_ssl].\n" : "[].\n");
  await writeFile(join(folder, "definitions.json"), JSON.stringify({ ...definitions, users: [USER] }));
  const names = await startNames(installed, namesPort);
  const endpoint = `amqp://127.0.0.1:${port}`;
  const connectHere = (virtualHost = "/") => connectTo(port, virtualHost);
  const start = () =>
    startServerProcess({
      name: "RabbitMQ",
      program: join(installed.program, "sbin/rabbitmq-server"),
      args: [],
      environment: {
        ...erlangEnvironment(installed, namesPort),
        HOME: folder,
        RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
        RABBITMQ_LOG_BASE: join(folder, "log"),
        RABBITMQ_LOGS: "-",
        RABBITMQ_NODENAME: `millrace-${port}@localhost`,
        RABBITMQ_DIST_PORT: String(distributionPort),
        RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq"),
        RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "enabled_plugins"),
        // The script is then replaced by the server, which signals reach.
        RABBITMQ_ALLOW_INPUT: "1",
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-noinput +S 2:2",
      },
      endpoint,
      readyMsMax: READY_MS_MAX,
      isReady: async () => {
        await (await connectHere()).close();
        return true;
      },
    });
  let server: ServerProcess = await start();
  return {
    endpoint,
    tlsEndpoint: `amqps://localhost:${tlsPort}`,
    connect: connectHere,
    kill: () => server.end("SIGKILL"),
    start: async () => {
      server = await start();
    },
    signal: (name) => server.signal(name),
    close: async () => {
      await server.close();
      await names.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Installed {
  /** RabbitMQ's own folder. */
  readonly program: string;
  /** Erlang's. */
  readonly erlang: string;
  /** Programs of its run-time system. */
  readonly bin: string;
  /** A folder with `erl`, which finds Erlang where it was unpacked. */
  readonly launcher: string;
}

function installRabbitmq(): Installed {
  const launcher = installOnce("rabbitmq-debian", "launcher/erl", (folder) => {
    unpackDebianPackages(
      {
        packages: ["rabbitmq-server"],
        withDependencies: true,
        alternative: "RabbitMQ for tests is Debian's package rabbitmq-server, unpacked into the cache.",
      },
      folder,
    );
    mkdirSync(join(folder, "launcher"), { recursive: true });
    const erl = join(folder, "launcher/erl");
    writeFileSync(erl, '#!/bin/sh\nexec "$BINDIR/erlexec" "$@"\n');
    chmodSync(erl, 0o755);
  });
  const folder = join(launcher, "../..");
  const erlang = join(folder, "usr/lib/erlang");
  const versions = join(folder, "usr/lib/rabbitmq/lib");
  const version = readdirSync(versions).find((name) => name.startsWith("rabbitmq_server-")) ?? "";
  const runtime = readdirSync(erlang).find((name) => name.startsWith("erts-")) ?? "";
  return {
    program: join(versions, version),
    erlang,
    bin: join(erlang, runtime, "bin"),
    launcher: dirname(launcher),
  };
}

function erlangEnvironment({ erlang, bin, launcher, program }: Installed, namesPort: number) {
  return {
    ROOTDIR: erlang,
    BINDIR: bin,
    EMU: "beam",
    PROGNAME: "erl",
    PATH: `${launcher}:${bin}:${process.env["PATH"] ?? ""}`,
    RABBITMQ_HOME: program,
    ERL_EPMD_PORT: String(namesPort),
  };
}

/** Erlang's directory of nodes: one of the server's own, that nobody else meets. */
function startNames(installed: Installed, port: number): Promise<ServerProcess> {
  return startServerProcess({
    name: "epmd",
    program: join(installed.bin, "epmd"),
    args: ["-port", String(port), "-address", "127.0.0.1"],
    endpoint: `127.0.0.1:${port}`,
    isReady: async () => {
      const socket = connectSocket(port, "127.0.0.1");
      await once(socket, "connect");
      socket.destroy();
      return true;
    },
  });
}

async function connectTo(port: number, virtualHost: string): Promise<ChannelModel> {
  const options: Options.Connect = {
    protocol: "amqp",
    hostname: "127.0.0.1",
    port,
    username: RABBITMQ_USER,
    password: RABBITMQ_PASSWORD,
    vhost: encodeURIComponent(virtualHost),
    heartbeat: 30,
  };
  const model = await connect(options, { timeout: 5_000 });
  model.on("error", () => undefined);
  return model;
}

/** Queues of tests have names of their own. */
export function freshQueueName(): string {
  return `queue-${randomUUID()}`;
}
