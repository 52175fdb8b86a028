import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import { describeError, MillraceError } from "../model/errors.ts";

/** Where an API server is, and who asks it. */
export interface ClusterAccess {
  /** https://HOST:PORT, with a path where it has one. */
  readonly server: string;
  /** What a pod is in, or a context names; `undefined`: neither says. */
  readonly namespace: string | undefined;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  /** Asked for each call: tokens are renewed by others. `undefined`: the certificate says who asks. */
  token(): Promise<string | undefined>;
}

const POD_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * As a pod has it, or as `kubectl` has it: `file`, else what `KUBECONFIG` names, else `~/.kube/config`.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export function clusterAccess(file: string | undefined, environment: NodeJS.ProcessEnv): ClusterAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, KUBECONFIG } = environment;
  if (file === undefined && host !== undefined && host !== "") return podAccess(host, port ?? "443");
  return fileAccess(file ?? KUBECONFIG?.split(":", 1)[0] ?? join(homedir(), ".kube", "config"));
}

function podAccess(host: string, port: string): ClusterAccess {
  const read = (name: string) => {
    try {
      return readFileSync(join(POD_FOLDER, name), "utf8");
    } catch (error) {
      throw new MillraceError(
        "ERR_MILLRACE_CONFIG",
        `The pod has no token of the Kubernetes API (${name}): ${describeError(error)}. Set automountServiceAccountToken, and serviceAccount.automountToken of the chart.`,
      );
    }
  };
  read("token");
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    namespace: read("namespace").trim(),
    tls: { ca: read("ca.crt") },
    // The kubelet writes a new one before the old one ends.
    token: async () => read("token").trim(),
  };
}

const execSchema = z.looseObject({
  apiVersion: z.string(),
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string() })).nullish(),
});
const userSchema = z.looseObject({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  "client-certificate": z.string().optional(),
  "client-certificate-data": z.string().optional(),
  "client-key": z.string().optional(),
  "client-key-data": z.string().optional(),
  exec: execSchema.nullish(),
});
const clusterSchema = z.looseObject({
  server: z.url({ protocol: /^https?$/ }),
  "certificate-authority": z.string().optional(),
  "certificate-authority-data": z.string().optional(),
  "insecure-skip-tls-verify": z.boolean().optional(),
  "tls-server-name": z.string().optional(),
});
const contextSchema = z.looseObject({
  cluster: z.string(),
  user: z.string().optional(),
  namespace: z.string().optional(),
});
const configSchema = z.looseObject({
  "current-context": z.string(),
  contexts: z.array(z.looseObject({ name: z.string(), context: contextSchema })),
  clusters: z.array(z.looseObject({ name: z.string(), cluster: clusterSchema })),
  users: z.array(z.looseObject({ name: z.string(), user: userSchema.nullish() })).nullish(),
});

type User = z.output<typeof userSchema>;
type Exec = z.output<typeof execSchema>;

function fileAccess(file: string): ClusterAccess {
  const fail = (what: string): never => {
    throw new MillraceError("ERR_MILLRACE_CONFIG", `${file}: ${what}. Give another file by --kubeconfig.`);
  };
  const read = configSchema.safeParse(readYaml(file, fail));
  if (!read.success) {
    const [issue] = read.error.issues;
    return fail(`this is no kubeconfig: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
  }
  const config = read.data;
  const name = config["current-context"];
  const context = config.contexts.find((each) => each.name === name)?.context ?? fail(`no context ${name}`);
  const cluster =
    config.clusters.find((each) => each.name === context.cluster)?.cluster ??
    fail(`no cluster ${context.cluster}`);
  const user = (config.users ?? []).find((each) => each.name === context.user)?.user ?? {};
  const folder = dirname(resolve(file));
  const text = (data: string | undefined, path: string | undefined) => {
    if (data !== undefined) return Buffer.from(data, "base64").toString();
    if (path === undefined) return undefined;
    try {
      return readFileSync(resolve(folder, path), "utf8");
    } catch (error) {
      return fail(`it names a file that cannot be read: ${describeError(error)}`);
    }
  };
  const tls = {
    ca: text(cluster["certificate-authority-data"], cluster["certificate-authority"]),
    cert: text(user["client-certificate-data"], user["client-certificate"]),
    key: text(user["client-key-data"], user["client-key"]),
    servername: cluster["tls-server-name"],
    rejectUnauthorized: cluster["insecure-skip-tls-verify"] === true ? false : undefined,
  };
  return {
    server: cluster.server.replace(/\/+$/, ""),
    namespace: context.namespace,
    tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
    token: tokenOf(user, folder),
  };
}

function readYaml(file: string, fail: (what: string) => never): unknown {
  try {
    const text = readFileSync(file, "utf8");
    return yamlIn(text) ?? fail("it is no YAML");
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    return fail(`it cannot be read: ${describeError(error)}`);
  }
}

/** `undefined`: it is none. What is wrong with it shows the line, which may hold a token. */
function yamlIn(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function tokenOf({ token, tokenFile, exec }: User, folder: string): ClusterAccess["token"] {
  if (tokenFile !== undefined) return async () => readFileSync(resolve(folder, tokenFile), "utf8").trim();
  if (token !== undefined) return async () => token;
  if (exec === undefined || exec === null) return async () => undefined;
  return commandToken(exec, folder);
}

const COMMAND_MS_MAX = 60_000;
const COMMAND_BYTES_MAX = 1024 * 1024;
/** A token is asked for anew before it ends. */
const TOKEN_SPARE_MS = 60_000;
const credentialSchema = z.looseObject({
  status: z.looseObject({ token: z.string(), expirationTimestamp: z.string().optional() }),
});

function credentialIn(text: string) {
  try {
    return credentialSchema.parse(JSON.parse(text)).status;
  } catch {
    return undefined;
  }
}

/** Neither its words nor what it printed: both may hold secrets. */
function commandFault(command: string, why: string): MillraceError {
  const message = `The command ${command} of the kubeconfig gives no token: ${why}. Run it by hand.`;
  return new MillraceError("ERR_MILLRACE_CLUSTER_UNAVAILABLE", message);
}

function endOf(error: unknown): string {
  const { code, signal } = error as { readonly code?: number | string; readonly signal?: string };
  return `it ended with ${code ?? signal ?? "an error"}`;
}

/** As `kubectl` asks a cloud's own command (ExecCredential). */
function commandToken({ apiVersion, command, args, env }: Exec, folder: string): ClusterAccess["token"] {
  let known: { readonly token: string; readonly endsMs: number } | undefined;
  return async () => {
    if (known !== undefined && Date.now() < known.endsMs - TOKEN_SPARE_MS) return known.token;
    const named = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
    const request = { apiVersion, kind: "ExecCredential", spec: { interactive: false } };
    const environment = { ...process.env, ...named, KUBERNETES_EXEC_INFO: JSON.stringify(request) };
    const options = { env: environment, cwd: folder, timeout: COMMAND_MS_MAX, maxBuffer: COMMAND_BYTES_MAX };
    const { stdout } = await promisify(execFile)(command, args ?? [], options).catch((error: unknown) => {
      throw commandFault(command, endOf(error));
    });
    const status = credentialIn(stdout);
    if (status === undefined) throw commandFault(command, "it printed no ExecCredential with a token");
    const endsMs = Date.parse(status.expirationTimestamp ?? "");
    known = { token: status.token, endsMs: Number.isNaN(endsMs) ? Number.POSITIVE_INFINITY : endsMs };
    return known.token;
  };
}
