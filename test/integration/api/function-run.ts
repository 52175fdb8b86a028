import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openStreamFile, type StreamFile } from "../../../connectors/local/stream-file.ts";
import { zipOf } from "../../fixtures/zip.ts";
import { MillraceProcess, until } from "../cli/millrace-process.ts";

export const ROLE = "arn:aws:iam::000000000000:role/any";
export const STREAM = "arn:aws:local:eu-west-1:000000000000:stream/orders";

/** A handler that answers with its mark and version, and appends the data of records to the file OUT. */
export function nodeZip(mark: string): Buffer {
  const code = `
const { appendFileSync } = require("node:fs");
exports.handler = async (event, context) => {
  for (const { kinesis } of event.Records ?? [])
    appendFileSync(process.env.OUT, Buffer.from(kinesis.data, "base64") + " ${mark} " + context.functionVersion + "\\n");
  if (event.fail) throw new Error("told to");
  return { mark: "${mark}", version: context.functionVersion, arn: context.invokedFunctionArn, secret: process.env.SECRET };
};`;
  return zipOf([{ name: "index.js", content: code }]);
}

export function pythonZip(mark: string): Buffer {
  const code = `import os
def handler(event, context):
    if event.get("fail"):
        raise ValueError("told to")
    return {"mark": "${mark}", "version": context.function_version, "arn": context.invoked_function_arn, "secret": os.environ.get("SECRET")}
`;
  return zipOf([{ name: "app/main.py", content: code }]);
}

/** A millrace without manifests, and a stream of two shards. */
export interface FunctionRun {
  readonly folder: string;
  readonly url: string;
  readonly stream: ReturnType<StreamFile["openStream"]>;
  readonly process: MillraceProcess;
  /** For a function's variable OUT. */
  readonly out: string;
  /** What handlers have appended to it, line by line. */
  lines(): readonly string[];
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  /** Stops the process and starts another on the same store. */
  restart(): Promise<string>;
}

export async function startFunctionRun(t: TestContext): Promise<FunctionRun> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-functions-"));
  const file = openStreamFile(join(folder, "orders.db"));
  file.createStream({ name: "orders", shards: 2 });
  t.after(() => {
    file.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const start = () => new MillraceProcess(t, WORDS, folder);
  let run = start();
  const url = await run.apiUrl();
  const out = join(folder, "out.txt");
  return {
    folder,
    url,
    stream: file.openStream("orders"),
    get process() {
      return run;
    },
    out,
    lines: () => (existsSync(out) ? readFileSync(out, "utf8").trim().split("\n") : []),
    until: (what, holds) => until(holds, () => `${what}: ${run.stderr}`),
    async restart() {
      run.kill("SIGTERM");
      await run.ended;
      run = start();
      return await run.apiUrl();
    },
  };
}

const WORDS = [
  ...["run", "--api", "127.0.0.1:0", "--store", "sqlite:progress.db"],
  ...["--region", "eu-west-1", "--endpoint", "LOCAL_FILE=orders.db"],
];
