import { EnvironmentPool } from "../../../src/functions/runtime/environment-pool.ts";
import type { RuntimeAnswer, RuntimeEvent } from "../../../src/functions/runtime/listener.ts";
import { RuntimeCall } from "../../../src/functions/runtime/runtime-call.ts";
import { StreamedAnswer } from "../../../src/functions/streamed-answer.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { ResponseSink } from "../../../src/ports/response-sink.ts";
import { chanceOf } from "./host-chance.ts";
import { HostClock } from "./host-clock.ts";
import { faultsOf, isOverdue, type WatchedRun } from "./host-run-faults.ts";
import { type HostProcess, type HostWork, HostWorld, remainsOf, SILENT } from "./host-world.ts";
import { StandingCounts } from "./standing-counts.ts";

export interface HostRun {
  readonly violations: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

/** How late a deadline may be noticed. */
const LATE_MS = 100;
const INIT_MS = 10_000;
const MINUTE_MS = 60_000;

/** One life of a pool: so many random steps of its callers, processes and time, then its end. */
export async function runHostSeed(seed: number, steps: number): Promise<HostRun> {
  const walk = new HostWalk(seed);
  for (let step = 0; step < steps && walk.violations.length === 0; step++) walk.step();
  await walk.end();
  return walk;
}

class HostWalk implements HostRun {
  readonly violations: string[] = [];
  readonly counts: Record<string, number> = {};
  readonly #chance: () => number;
  readonly #clock = new HostClock();
  readonly #world: HostWorld;
  readonly #pool: EnvironmentPool;
  readonly #processesMax: number;
  readonly #eventsMax: number;
  readonly #open = new Map<number, WatchedRun>();
  #calls = 0;
  #lost = 0;
  #lastId = "none";
  readonly #standings = new StandingCounts((text) => this.#violate(text));

  constructor(seed: number) {
    this.#chance = chanceOf(seed);
    this.#processesMax = 1 + Math.floor(this.#chance() * 4);
    this.#eventsMax = this.#chance() < 0.6 ? 1 : 2 + Math.floor(this.#chance() * 3);
    this.#world = new HostWorld({
      clock: this.#clock,
      chance: this.#chance,
      processesMax: this.#processesMax,
      eventsMax: this.#eventsMax,
      violate: (text) => this.#violate(text),
      onEvent: (process, event) => this.#onEvent(process, event),
    });
    this.#pool = new EnvironmentPool({
      clock: this.#clock,
      launcher: this.#world,
      listener: this.#world,
      createOutput: () => SILENT,
      watch: this.#standings,
      environmentsMax: this.#processesMax,
      eventsMax: this.#eventsMax,
      environmentsMin: this.#chance() < 0.2 ? 1 : 0,
      onLost: () => this.#onLost(),
    });
  }

  step(): void {
    const dice = this.#chance();
    if (dice < 0.14) this.#invoke();
    else if (dice < 0.3) this.#pass();
    else if (dice < 0.31) this.#abortOne();
    else this.#moveProcess();
    if (this.#open.size > 0) this.#checkDeadlines();
  }

  async end(): Promise<void> {
    let isClosed = false;
    const closed = this.#pool.close().then(() => {
      isClosed = true;
    });
    this.#clock.advance(2_000 + 300 + LATE_MS);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    if (!isClosed) this.#violate("I40: the end of the pool took more than two seconds");
    else await closed;
    for (const run of this.#open.values()) this.#violate(`I40: call ${run.call.requestId} has no outcome`);
    for (const remains of remainsOf(this.#world)) this.#violate(`I40: ${remains} are left`);
    const undying = this.#world.processes.filter((each) => each.isUndying && !each.isGone);
    if (this.#standings.sum !== undying.length)
      this.#violate(`I40: ${this.#standings.sum} environments are still counted`);
    if (this.#clock.timers > 0) this.#violate(`I40: ${this.#clock.timers} timers are left`);
  }

  #invoke(): void {
    if (this.#open.size >= this.#processesMax * this.#eventsMax + 2) return;
    this.#calls += 1;
    const ordinal = this.#calls;
    // A call that is made again has the id that it had.
    const requestId = this.#chance() < 0.1 ? this.#lastId : `id-${ordinal}`;
    this.#lastId = requestId;
    const timeoutMs = this.#chance() < 0.5 ? 1_000 : 30_000;
    const abort = new AbortController();
    const streamed = this.#chance() < 0.3 ? "" : undefined;
    const stream = streamed === undefined ? {} : { stream: this.#streamOf(ordinal) };
    const call = new RuntimeCall({
      ...stream,
      payload: Buffer.from(String(ordinal)),
      context: { requestId, functionName: "f", functionArn: "arn", deadlineMs: 0, timeoutMs },
      signal: abort.signal,
      traceId: "",
      clientContext: undefined,
      onSettled: (outcome) => this.#onSettled(ordinal, outcome),
    });
    const arrivedMs = this.#clock.monotonic();
    const [process, answered, isAborted] = [undefined, undefined, false];
    this.#open.set(ordinal, { call, arrivedMs, timeoutMs, abort, process, answered, streamed, isAborted });
    this.#pool.run(call);
  }

  #streamOf(ordinal: number): StreamedAnswer {
    const sink: ResponseSink = {
      open: () => this.#count("streams"),
      write: (chunk) => {
        const run = this.#open.get(ordinal);
        if (run?.streamed === undefined) this.#violate(`I40: call ${ordinal} got bytes behind its outcome`);
        else run.streamed += Buffer.from(chunk).toString();
        return undefined;
      },
    };
    return new StreamedAnswer(sink, this.#clock, "1");
  }

  #pass(): void {
    const dice = this.#chance();
    if (dice < 0.9) this.#clock.advance(this.#chance() * 300);
    else if (dice < 0.98) this.#clock.advance(this.#chance() * 3_000);
    else if (dice < 0.998) this.#clock.advance(INIT_MS + 1);
    else this.#clock.advance(this.#chance() * 20 * MINUTE_MS);
    this.#world.forget();
  }

  #abortOne(): void {
    const runs = [...this.#open.values()];
    const run = runs[Math.floor(this.#chance() * runs.length)];
    if (run === undefined) return;
    run.isAborted = true;
    this.#count("aborted");
    run.abort.abort();
  }

  /** The last ones most often; also those that are dead, as far as anything of them can still arrive. */
  #moveProcess(): void {
    const { processes } = this.#world;
    const back = Math.floor(this.#chance() ** 2 * processes.length);
    const process = processes[processes.length - 1 - back];
    if (process === undefined) return;
    const dice = this.#chance();
    if (dice < 0.35) process.next();
    else if (dice < 0.8) this.#answer(process);
    else if (dice < 0.83) this.#foreignAnswer(process);
    else if (dice < 0.84) process.hangUp();
    else if (dice < 0.86) this.#initError(process);
    else if (dice < 0.9 && !process.isKilled) this.#exit(process);
  }

  #answer(process: HostProcess): void {
    const work = process.work[Math.floor(this.#chance() * process.work.length)];
    if (work === undefined) return;
    const { api } = process;
    const { requestId } = work.event;
    if (!work.isAnswering) {
      const wasKilled = process.isKilled;
      if (api.beginAnswer(requestId) !== "done") {
        process.forget(work);
        return;
      }
      if (wasKilled) this.#violate("I40: an answer of a killed process was begun");
      work.isAnswering = true;
      work.stream = this.#chance() < 0.4 ? api.openStream(requestId, "text/plain") : undefined;
      if (api.beginAnswer(requestId) === "done") this.#violate("I40: an answer was begun twice");
      if (this.#chance() < 0.2) return;
    }
    work.isAnswering = false;
    const ordinal = Number(Buffer.from(work.event.payload).toString());
    const text = `${ordinal}@${process.number}`;
    void work.stream?.write(Buffer.from(text));
    if (this.#chance() < 0.1) this.#breakOff(process, work);
    else this.#endAnswer(process, work, ordinal, text);
  }

  #breakOff(process: HostProcess, work: HostWork): void {
    const { api } = process;
    const { requestId } = work.event;
    api.breakAnswer(requestId);
    if (work.stream === undefined) return;
    process.forget(work);
    const isAgain = process.work.some(({ event }) => event.requestId === requestId);
    // Whoever called has the beginning of it.
    if (!isAgain && api.beginAnswer(requestId) === "done")
      this.#violate("I40: an answer was begun again behind its first bytes");
  }

  #endAnswer(process: HostProcess, work: HostWork, ordinal: number, text: string): void {
    const { api } = process;
    const { requestId } = work.event;
    const run = this.#open.get(ordinal);
    if (run !== undefined) run.answered = text;
    const wasKilled = process.isKilled;
    const answer: RuntimeAnswer =
      work.stream === undefined ? { kind: "response", body: Buffer.from(text) } : { kind: "streamed" };
    process.forget(work);
    api.endAnswer(requestId, answer, (verdict) => {
      if (verdict === "done" && wasKilled) this.#violate("I40: an answer of a killed process was taken");
      if (verdict === "done") this.#count("answered");
    });
    const isAgain = process.work.some(({ event }) => event.requestId === requestId);
    // Said twice.
    if (!isAgain && this.#chance() < 0.1 && api.beginAnswer(requestId) === "done")
      this.#violate("I40: a second answer was taken");
  }

  #foreignAnswer(process: HostProcess): void {
    const stranger = this.#world.processes[0]?.work[0]?.event.requestId;
    const id = stranger === undefined || this.#chance() < 0.5 ? "foreign" : stranger;
    if (process.work.some(({ event }) => event.requestId === id)) return;
    if (process.api.beginAnswer(id) === "done") this.#violate("I40: an answer to a foreign id was taken");
  }

  #initError(process: HostProcess): void {
    const report = { body: Buffer.from('{"errorType":"E","errorMessage":"m"}'), errorType: undefined };
    const wasKilled = process.isKilled;
    const verdict = process.api.initError(report);
    if (verdict !== "done") return;
    this.#count("initErrors");
    if (wasKilled || process.work.length > 0) this.#violate("I40: an init error was taken out of its time");
  }

  #exit(process: HostProcess): void {
    this.#count("exits");
    // What it had begun to say breaks off with it, before or after.
    const broken = process.work.filter(({ isAnswering }) => isAnswering);
    process.exit();
    for (const { event } of broken) process.api.breakAnswer(event.requestId);
  }

  #onEvent(process: HostProcess, event: RuntimeEvent): void {
    const ordinal = Number(Buffer.from(event.payload).toString());
    const run = this.#open.get(ordinal);
    this.#count("events");
    if (run === undefined) {
      this.#violate(`I40: call ${ordinal} has its outcome, and was handed out`);
      return;
    }
    if (run.process !== undefined) this.#violate(`I40: call ${ordinal} was handed out twice`);
    if (process.isKilled || process.hasExited) this.#violate("I40: an event went to a process that is dead");
    const others = [...this.#open.values()].filter((each) => each.process === process && each !== run);
    if (others.length >= this.#eventsMax) this.#violate("I40: a process works on more events than it may");
    if (others.length > 0) this.#count("neighbours");
    if (event.deadlineMs > this.#clock.now() + run.timeoutMs) this.#violate("I40: a deadline is too late");
    run.process = process;
  }

  #onSettled(ordinal: number, outcome: InvocationOutcome): void {
    const run = this.#open.get(ordinal);
    if (run === undefined) {
      this.#violate(`I40: call ${ordinal} has two outcomes`);
      return;
    }
    this.#open.delete(ordinal);
    this.#count(outcome.kind);
    for (const fault of faultsOf(run, outcome, this.#clock.monotonic()))
      this.#violate(`I40: call ${ordinal} ${fault}`);
    if ((run.streamed ?? "") !== "" && outcome.kind !== "succeeded") this.#count("brokenStreams");
  }

  #onLost(): void {
    this.#lost += 1;
    this.#count("lost");
    const lost = this.#world.processes.filter((each) => each.isUndying && each.isKilled && !each.isLost);
    const [first] = lost;
    if (first === undefined) this.#violate("I40: an environment was lost whose process dies");
    else first.isLost = true;
  }

  #checkDeadlines(): void {
    for (const run of this.#open.values())
      if (isOverdue(run, this.#clock.monotonic()))
        this.#violate(`I40: call ${run.call.requestId} waits beyond its time`);
  }

  #count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
  #violate(text: string): void {
    if (this.violations.length < 10) this.violations.push(text);
  }
}
