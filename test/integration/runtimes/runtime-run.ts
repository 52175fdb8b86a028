import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { MillraceProcess } from "../cli/millrace-process.ts";

export interface Language {
  readonly name: string;
  /** Fields of the function's spec. */
  readonly spec: string;
  /** Name of what its handler throws. */
  readonly errorType: string;
}

export const CODE = fileURLToPath(new URL("../../fixtures/functions/runtimes/", import.meta.url));

export const LANGUAGES: readonly Language[] = [
  {
    name: "node",
    spec: `runtime: nodejs24.x, handler: index.handler, code: "${join(CODE, "node")}"`,
    errorType: "TypeError",
  },
  {
    name: "python",
    spec: `runtime: python3.13, handler: app.handler, code: { path: "${join(CODE, "python")}" }`,
    errorType: "KeyError",
  },
  {
    name: "shell",
    spec: `runtime: provided.al2023, code: "${join(CODE, "shell")}", inheritEnvironment: [NODE]`,
    errorType: "TypeError",
  },
];

export function isHere({ name }: Language): boolean {
  return name !== "python" || spawnSync("python3", ["--version"]).status === 0;
}

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: what a function says has no type
  readonly body: any;
  readonly error: string | undefined;
  readonly log: string;
}

export type Runtimes = Awaited<ReturnType<typeof startFunctions>>;

/** A millrace with the functions NAME, NAME-short (two seconds) and NAME-broken of a language. */
export async function startRuntimes(t: TestContext, { name, spec }: Language): Promise<Runtimes> {
  return await startFunctions(t, {
    [name]: `${spec}, timeoutSeconds: 60`,
    [`${name}-short`]: `${spec}, timeoutSeconds: 2`,
    [`${name}-broken`]: `${spec}, timeoutSeconds: 60, environment: { BROKEN: "yes" }`,
  });
}

/** A millrace of its own with these functions, by name, each with the fields of its spec. */
export async function startFunctions(t: TestContext, specs: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-runtimes-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // Environments have their folders here: what is left in it was left behind.
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const documents = Object.entries(specs).map(
    ([fn, fields]) => `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: ${fn} }
spec: { ${fields} }
`,
  );
  writeFileSync(join(folder, "functions.yaml"), documents.join("---\n"));
  const words = ["run", "-f", "functions.yaml", "--api", "127.0.0.1:0", "--store", "memory:"];
  const env = { TMPDIR: temporary, NODE: process.execPath, PGPASSWORD: "canary" };
  const run = new MillraceProcess(t, words, folder, { env });
  const endpoint = await run.apiUrlOf();
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  const client = new LambdaClient({ region: "eu-west-1", endpoint, credentials, maxAttempts: 1 });
  t.after(() => client.destroy());
  /** The bytes of the response, as text. */
  const invokeRaw = async (fn: string, event: object): Promise<string> => {
    const answer = await client.send(new InvokeCommand({ FunctionName: fn, Payload: JSON.stringify(event) }));
    return answer.Payload?.transformToString() ?? "";
  };
  const invoke = async (fn: string, event: object, more: object = {}): Promise<Answer> => {
    const Payload = JSON.stringify(event);
    const answer = await client.send(
      new InvokeCommand({ FunctionName: fn, Payload, LogType: "Tail", ...more }),
    );
    const log = Buffer.from(answer.LogResult ?? "", "base64").toString();
    return { body: JSON.parse(answer.Payload?.transformToString() ?? ""), log, error: answer.FunctionError };
  };
  const makePlace = () => mkdtempSync(join(folder, "place-"));
  return { run, client, invoke, invokeRaw, makePlace, left: () => readdirSync(temporary) };
}

/** What has ended and was not waited for by its parent is not alive. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== "linux") return true;
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat[stat.lastIndexOf(")") + 2] !== "Z";
  } catch {
    return false;
  }
}
