import assert from "node:assert/strict";
import { test } from "node:test";
import { httpFunction, MillraceProcess, orderFolder, until } from "./millrace-process.ts";

const RECORDS = 60;
const HANG = { timeout: 240_000 };
const WAIT_MS_MAX = 120_000;

interface Status {
  readonly mappings: readonly {
    readonly state: string;
    readonly shards: readonly { readonly shardId: string }[];
  }[];
}

function runFlags(manifest: string, ...more: readonly string[]): readonly string[] {
  return ["run", "-f", manifest, "--api", "127.0.0.1:0", "--store", "sqlite:progress.db", ...more];
}

function startedPids(run: MillraceProcess): ReadonlyMap<string, number> {
  const started = run.logs().filter(({ message }) => message === "started");
  return new Map(started.map((line) => [String(line["process"]), Number(line["pid"])]));
}

/** What a change by the page at `url` is answered, over connections that go to one process after the other. */
async function pageActs(url: string): Promise<ReadonlySet<number>> {
  const page = await (await fetch(`${url}/`, { headers: { connection: "close" } })).text();
  const [, token = ""] = /name="millrace-page" content="([^"]+)"/.exec(page) ?? [];
  const answers = new Set<number>();
  for (let change = 0; change < 9; change++) {
    const { status } = await fetch(
      `${url}/2015-03-31/event-source-mappings/00000000-0000-4000-8000-00000000ffff`,
      {
        method: "PUT",
        headers: {
          origin: url,
          "x-millrace-page": token,
          connection: "close",
          "content-type": "application/json",
        },
        body: "{}",
      },
    );
    answers.add(status);
  }
  return answers;
}

async function statusOf(url: string): Promise<Status> {
  return JSON.parse(await (await fetch(`${url}/millrace/v1/status`)).text());
}

test(
  "three processes share a stream's shards; one that is killed is started again, and a SIGTERM drains all",
  HANG,
  async (t) => {
    const { url: functionUrl, seen } = await httpFunction(t, (_event, response) => response.end());
    const { folder, manifest } = orderFolder(t, functionUrl, RECORDS);
    const run = new MillraceProcess(t, runFlags(manifest, "--processes", "3"), folder);
    await until(
      () => startedPids(run).size === 3,
      () => `not three started: ${run.stderr}`,
      WAIT_MS_MAX,
    );
    const url = await run.apiUrl();
    const addresses = run.logs().flatMap(({ message, address }) => (message === "started" ? [address] : []));
    assert.deepEqual([...new Set(addresses)], [url], "all serve one address");
    assert.deepEqual(await pageActs(url), new Set([404]), "a page that one process gave acts through all");
    await until(
      () => new Set(seen).size === RECORDS,
      () => `the function saw ${seen.length} records`,
      WAIT_MS_MAX,
    );
    await until(
      async () => (await statusOf(url)).mappings[0]?.shards.length === 2,
      () => "the API does not tell the shards of all processes",
      WAIT_MS_MAX,
    );
    assert.equal(await countOf(url, "millrace_invoked_events_total"), RECORDS);

    const victim = startedPids(run).get("2") ?? 0;
    process.kill(victim, "SIGKILL");
    await until(
      () => startedPids(run).get("2") !== victim,
      () => `it was not started again: ${run.stderr}`,
      WAIT_MS_MAX,
    );
    const restart = run.logs().find(({ message }) => message.includes("is started again"));
    assert.deepEqual([restart?.["process"], restart?.["reason"]], ["2", "signal SIGKILL"]);
    assert.equal(
      await countOf(url, "millrace_invoked_events_total"),
      RECORDS,
      "what it had counted stays counted",
    );

    run.kill("SIGTERM");
    assert.deepEqual(await run.ended, { status: 0, signal: null });
    const stopped = run.logs().filter(({ message }) => message === "stopped");
    assert.deepEqual(stopped.map((line) => line["process"]).toSorted(), ["1", "2", "3", "parent"]);
    assert.equal(seen.length, RECORDS, "nothing was repeated");
    assertGone([...startedPids(run).values()]);
  },
);

test("processes whose parent is killed drain and end", HANG, async (t) => {
  const { url, seen } = await httpFunction(t, (_event, response) => response.end());
  const { folder, manifest } = orderFolder(t, url, RECORDS);
  const run = new MillraceProcess(t, runFlags(manifest, "--processes", "2"), folder);
  await until(
    () => startedPids(run).size === 2,
    () => `not two started: ${run.stderr}`,
    WAIT_MS_MAX,
  );
  await until(
    () => new Set(seen).size === RECORDS,
    () => `the function saw ${seen.length} records`,
    WAIT_MS_MAX,
  );
  const pids = [...startedPids(run).values()];
  run.kill("SIGKILL");
  await until(
    () => pids.every(isGone),
    () => "processes are left behind",
    WAIT_MS_MAX,
  );

  const next = new MillraceProcess(t, runFlags(manifest, "--until-caught-up"), folder);
  assert.deepEqual(await next.ended, { status: 0, signal: null }, next.stderr);
  assert.equal(seen.length, RECORDS, "nothing was repeated");
});

test("what several processes cannot do, and what is in the way of all, is said once", HANG, async (t) => {
  const { folder, manifest } = orderFolder(t, "http://127.0.0.1:9/", 1);
  const refused = async (...words: readonly string[]) => {
    const run = new MillraceProcess(t, ["run", "-f", manifest, "--processes", "2", ...words], folder);
    const { status } = await run.ended;
    return { status, stderr: run.stderr };
  };
  const memory = await refused("--store", "memory:");
  assert.equal(memory.status, 2);
  assert.match(memory.stderr, /--processes needs a store that all processes share/);
  const caughtUp = await refused("--until-caught-up");
  assert.equal(caughtUp.status, 2);
  assert.match(caughtUp.stderr, /--until-caught-up is for one process/);
  const unreachable = await refused("--api", "off", "--store", "postgres://u@127.0.0.1:1/d");
  assert.equal(unreachable.status, 1);
  assert.equal(unreachable.stderr.match(/could not be used/g)?.length, 1, unreachable.stderr);
});

async function countOf(url: string, metric: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${metric}\\{.*\\} (\\d+)$`, "m").exec(text)?.[1]);
}

function assertGone(pids: readonly number[]): void {
  assert.deepEqual(
    pids.filter((pid) => !isGone(pid)),
    [],
  );
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
