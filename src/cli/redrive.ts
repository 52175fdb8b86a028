import { API_FLAGS, ApiClient, isObject, type JsonObject } from "./api-client.ts";
import { type CliHost, type Command, EXIT_FAILED, EXIT_OK, type ExitStatus, type Flags } from "./command.ts";
import { FILTER_FLAGS, readFilterFlags } from "./failure-flags.ts";
import { lastValue, usageError } from "./parse-flags.ts";
import { ProgressBar } from "./progress-bar.ts";
import { dryRunText, endText, movedText, progressStep } from "./redrive-text.ts";
import { formatCounted } from "./terminal-text.ts";

const LOOK_MS = 500;

export const redriveCommand: Command = {
  name: "failures redrive",
  summary: "Hands what was given up to its function again, in order for each key.",
  usage: "failures redrive [REDRIVE] [FLAGS]",
  details: `Selects failures by the filters and hands their records to the function of their mapping again: those of one key
in order, one after the other. Ctrl-C pauses; named again, a redrive is resumed and watched. A record that the function
had when a process died is uncertain: it is not handed over again before --retry-uncertain says so.
With --events those of a function are put into their queue again, each at least once.
--dry-run says what would happen, and changes nothing.`,
  words: { REDRIVE: { description: "Name or id of a redrive that there is: it is resumed." } },
  flags: {
    ...FILTER_FLAGS,
    "dry-run": { description: "Says what would be redriven, and changes nothing." },
    name: { value: "NAME", description: "What the redrive is called. Default: a name is made." },
    rate: { value: "N", description: "Records a second, at most. Default: as the function takes them." },
    share: {
      value: "PART",
      description: "Part of the function's concurrency that it may use. Default 0.25.",
    },
    to: { value: "TARGET", description: "function, or source: of a queue, its dead letters go back to it." },
    function: { value: "NAME[:ALIAS]", description: "Another function in the place of the mapping's." },
    delivery: {
      value: "WAY",
      description: "at-most-once, or at-least-once: uncertain records are handed over again by themselves.",
    },
    "retry-uncertain": { description: "With REDRIVE: hands its uncertain records over again." },
    cancel: { description: "With REDRIVE: ends it; what waits is open again." },
    detach: { description: "Begins it, and does not wait for its end." },
    ...API_FLAGS,
  },
  async run(flags, host) {
    const client = ApiClient.of(flags, host);
    const named = lastValue(flags, "REDRIVE");
    if (named === undefined && flags.has("events")) return await redriveEvents(client, flags, host);
    if (named === undefined && flags.has("dry-run")) return await dryRun(client, flags, host);
    if (named === undefined && lastValue(flags, "to") === "source")
      return await moveBack(client, flags, host);
    const status = named === undefined ? await create(client, flags) : await goOn(client, named, flags);
    if (flags.has("detach") || flags.has("cancel")) return told(status, flags, host);
    return await watch(client, String(status["id"]), flags, host);
  },
};

function create(client: ApiClient, flags: Flags): Promise<JsonObject> {
  for (const name of ["retry-uncertain", "cancel"])
    if (flags.has(name))
      throw usageError(`--${name} is for a redrive that there is: name it.`, redriveCommand);
  return client.own("POST", "redrives", askedOf(flags));
}

async function goOn(client: ApiClient, named: string, flags: Flags): Promise<JsonObject> {
  const path = `redrives/${encodeURIComponent(named)}`;
  if (flags.has("cancel")) return await client.own("POST", `${path}/cancel`, {});
  if (flags.has("rate")) await client.own("POST", `${path}/rate`, { rate: numberOf(flags, "rate") });
  if (flags.has("retry-uncertain")) return await client.own("POST", `${path}/retry-uncertain`, {});
  const status = await client.own("GET", path);
  return status["state"] === "paused" ? await client.own("POST", `${path}/resume`, {}) : status;
}

async function dryRun(client: ApiClient, flags: Flags, host: CliHost): Promise<ExitStatus> {
  const answer = await client.own("POST", "redrives", { ...askedOf(flags), dryRun: true });
  const plan = answer["plan"];
  const asText =
    flags.has("json") || !isObject(plan) ? `${JSON.stringify(answer, null, 2)}\n` : dryRunText(plan);
  host.stdout.write(asText);
  return EXIT_OK;
}

/** So many at a time, until there are none. */
async function moveBack(client: ApiClient, flags: Flags, host: CliHost): Promise<ExitStatus> {
  let isStopped = false;
  host.onStopSignal(() => {
    isStopped = true;
  });
  let moved = 0;
  for (;;) {
    const answer = await client.own("POST", "redrives", askedOf(flags));
    const step = Number(answer["moved"]);
    moved += step;
    if (step === 0 || isStopped) break;
    if (host.stdout.isTTY === true) host.stdout.write(`\r${movedText(moved)}`);
  }
  const asText = flags.has("json") ? JSON.stringify({ moved }) : movedText(moved);
  host.stdout.write(`${host.stdout.isTTY === true ? "\r" : ""}${asText}\n`);
  return EXIT_OK;
}

/** Puts events that were given up back into their queue, so many at a time. */
async function redriveEvents(client: ApiClient, flags: Flags, host: CliHost): Promise<ExitStatus> {
  const isDry = flags.has("dry-run");
  let isStopped = false;
  host.onStopSignal(() => {
    isStopped = true;
  });
  // What fails again meanwhile is a failure of its own, for another redrive.
  const until = new Date(host.adapters.clock.now()).toISOString();
  const asked = { until, ...askedOf(flags), ...(isDry ? { dryRun: true } : {}) };
  let invoked = 0;
  for (;;) {
    const answer = await client.own("POST", "redrives", asked);
    if (isDry) {
      const { failures, kept, unreadable } = isObject(answer["events"]) ? answer["events"] : {};
      const text = `${formatCounted(Number(failures), "event")} given up: ${kept} can be invoked again, ${unreadable} cannot be read.`;
      host.stdout.write(`${flags.has("json") ? JSON.stringify(answer) : text}\n`);
      return EXIT_OK;
    }
    const step = Number(answer["invoked"]);
    invoked += step;
    if (step === 0 || isStopped) break;
  }
  host.stdout.write(
    `${flags.has("json") ? JSON.stringify({ invoked }) : `${formatCounted(invoked, "event")} in the queue again.`}\n`,
  );
  return EXIT_OK;
}

async function watch(client: ApiClient, id: string, flags: Flags, host: CliHost): Promise<ExitStatus> {
  const { clock } = host.adapters;
  const path = `redrives/${encodeURIComponent(id)}`;
  let isPausing = false;
  let wake = () => {};
  host.onStopSignal(() => {
    isPausing = true;
    wake();
  });
  const output = flags.has("json") ? host.stderr : host.stdout;
  const bar = new ProgressBar(output, clock);
  try {
    for (;;) {
      const status = isPausing ? await paused(client, path) : await client.own("GET", path);
      bar.show(progressStep(status));
      const { state } = status;
      if (state !== "running" && state !== "planned") {
        bar.stop();
        for (const line of endText(status)) output.write(`${line}\n`);
        return told(status, flags, host);
      }
      await new Promise<void>((resolve) => {
        const timer = clock.schedule(LOOK_MS, resolve);
        wake = () => {
          timer.cancel();
          resolve();
        };
      });
    }
  } finally {
    bar.stop();
  }
}

async function paused(client: ApiClient, path: string): Promise<JsonObject> {
  const status = await client.own("GET", path);
  return status["state"] === "running" || status["state"] === "planned"
    ? await client.own("POST", `${path}/pause`, {})
    : status;
}

function told(status: JsonObject, flags: Flags, host: CliHost): ExitStatus {
  if (flags.has("json")) host.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
  else if (flags.has("detach")) host.stdout.write(`${String(status["name"])} has begun.\n`);
  const counts = isObject(status["counts"]) ? status["counts"] : {};
  const isWhole = ["failed", "held", "uncertain", "gone"].every((name) => Number(counts[name] ?? 0) === 0);
  return status["state"] === "done" && !isWhole ? EXIT_FAILED : EXIT_OK;
}

function askedOf(flags: Flags): JsonObject {
  const asked = {
    ...readFilterFlags(flags),
    name: lastValue(flags, "name"),
    to: lastValue(flags, "to"),
    function: lastValue(flags, "function"),
    delivery: lastValue(flags, "delivery"),
    rate: numberOf(flags, "rate"),
    share: numberOf(flags, "share"),
  };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}

function numberOf(flags: Flags, name: string): number | undefined {
  const text = lastValue(flags, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw usageError(`--${name} is to be a number above 0.`, redriveCommand);
}
