import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, chown, copyFile, cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { installFromMaven } from "./maven-install.ts";
import { freePort, type ServerUser, startServerProcess, type TestServer } from "./server-process.ts";

const VERSION = "17.5.0";
const USER = "postgres";
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "linux-amd64", arm64: "linux-arm64v8" };

/** A canary as well: what tests must never find in a log or an error. */
export const POSTGRES_PASSWORD = "pass:word/with@signs";

export interface PostgresServer {
  /** Of the database that every server has. */
  readonly url: string;
  /** The URL of a new, empty database. */
  createDatabase(): Promise<string>;
  close(): Promise<void>;
}

/** One that tests may stop and start. */
export interface OwnPostgresServer extends PostgresServer {
  readonly port: number;
  /** Stops at once, without care for connections, as in a crash. */
  stop(): Promise<void>;
  /** On the same port, with what was stored. */
  start(): Promise<void>;
}

/** PostgreSQL on a free loopback port, or the server that `MILLRACE_TEST_POSTGRES_URL` names. */
export async function startPostgres(): Promise<PostgresServer> {
  const url = process.env["MILLRACE_TEST_POSTGRES_URL"];
  if (url === undefined || url === "") return await startOwnPostgres();
  return { url, createDatabase: () => createDatabase(url), close: async () => undefined };
}

/** With `tls` it takes encrypted connections too, as `localhost`, by the certificate of `test/fixtures/tls`. */
export async function startOwnPostgres({ tls = false } = {}): Promise<OwnPostgresServer> {
  const installed = await installPostgres();
  const user = unprivilegedUser();
  const folder = await mkdtemp(join(tmpdir(), "millrace-postgres-"));
  const [program, data] = [join(folder, "program"), join(folder, "data")];
  // The cache of root is closed to others, so that who drops root's rights needs a copy.
  if (user !== undefined) await cp(installed, program, { recursive: true, verbatimSymlinks: true });
  const bin = join(user === undefined ? installed : program, "bin");
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, POSTGRES_PASSWORD);
  await chmod(passwordFile, 0o600);
  if (user !== undefined)
    await Promise.all([folder, passwordFile].map((path) => chown(path, user.uid, user.gid)));
  const words = ["-D", data, "-U", USER, "-A", "scram-sha-256", "--pwfile", passwordFile, "-E", "UTF8", "-N"];
  runToEnd(join(bin, "initdb"), [...words, "--locale=C"], user);
  const settings = tls ? await installCertificate(data, user) : [];
  const port = await freePort();
  const url = `postgres://${USER}:${encodeURIComponent(POSTGRES_PASSWORD)}@127.0.0.1:${port}/postgres`;
  const all = ["unix_socket_directories=", "max_connections=200", ...settings];
  const start = () =>
    startServerProcess({
      name: "PostgreSQL",
      program: join(bin, "postgres"),
      args: ["-D", data, "-h", "127.0.0.1", "-p", String(port), ...all.flatMap((setting) => ["-c", setting])],
      ...(user === undefined ? {} : { user }),
      // An immediate shutdown: its processes end too, and the next start recovers as after a crash.
      stopSignal: "SIGQUIT",
      endpoint: url,
      isReady: () => answers(url),
    });
  let server: TestServer = await start();
  return {
    url,
    port,
    createDatabase: () => createDatabase(url),
    stop: () => server.close(),
    start: async () => {
      server = await start();
    },
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The URL with another port of this host, such as that of a proxy. */
export function throughPort(url: string, port: number): string {
  const other = new URL(url);
  other.host = `127.0.0.1:${port}`;
  return other.href;
}

/** The server takes a key only that nobody else can read. */
async function installCertificate(data: string, user: ServerUser | undefined): Promise<readonly string[]> {
  for (const name of ["server.crt", "server.key"]) {
    const place = join(data, name);
    await copyFile(join(import.meta.dirname, "../fixtures/tls", name), place);
    await chmod(place, 0o600);
    if (user !== undefined) await chown(place, user.uid, user.gid);
  }
  return ["ssl=on"];
}

async function createDatabase(url: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await withClient(url, (client) => client.query(`CREATE DATABASE ${name}`));
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}

async function answers(url: string): Promise<boolean> {
  await withClient(url, (client) => client.query("SELECT 1"));
  return true;
}

async function installPostgres(): Promise<string> {
  const architecture = ARCHITECTURES[process.arch];
  const alternative = "MILLRACE_TEST_POSTGRES_URL=postgres://postgres:millrace@127.0.0.1:5432/postgres";
  if (process.platform !== "linux" || architecture === undefined)
    throw new Error(`PostgreSQL for tests is fetched on Linux only. Start one and name it: ${alternative}`);
  return await installFromMaven({
    name: "PostgreSQL",
    folder: `postgres-${VERSION}`,
    artifacts: [`io.zonky.test.postgres:embedded-postgres-binaries-${architecture}:${VERSION}`],
    alternative,
    unpack: async (folder) => {
      const archive = (await readdir(folder)).find((name) => name.endsWith(".txz"));
      if (archive === undefined) throw new Error(`there is no archive of PostgreSQL in ${folder}`);
      runToEnd("tar", ["-xJf", join(folder, archive), "-C", folder], undefined);
      await rm(join(folder, archive));
    },
  });
}

/** PostgreSQL does not run as root: then it gets the rights of `nobody`. `undefined`: this process's rights will do. */
function unprivilegedUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string) => Number(runToEnd("id", [flag, "nobody"], undefined));
  return { uid: idOf("-u"), gid: idOf("-g") };
}

function runToEnd(program: string, args: readonly string[], user: ServerUser | undefined): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", ...user, cwd: "/" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ended with status ${status}:\n${stdout}${stderr}`);
  return stdout;
}
