import { firstOf, whenSettled } from "../../lib/first-of.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogLevel, Telemetry } from "../../ports/telemetry.ts";
import type { MetricsMerger } from "../adapters.ts";
import { EXIT_FAILED, EXIT_OK, type ExitStatus } from "../command.ts";
import type { StopSignal } from "../stop-signal.ts";
import type { FromMember, GroupReport, MemberProcess, MemberReport } from "./group-messages.ts";
import { mergeProgress } from "./merge-progress.ts";

export interface ProcessGroupOptions {
  readonly size: number;
  /** Starts the process of this id. */
  readonly fork: (processId: string) => MemberProcess;
  readonly clock: Clock;
  readonly log: Telemetry["log"];
  readonly onLine: (line: string) => void;
  readonly metrics: MetricsMerger;
}

interface Member {
  readonly processId: string;
  readonly child: MemberProcess;
  startedMs: number | undefined;
  /** As it last told: it may be busy. */
  mappings: MemberReport["mappings"];
  /** Looks in a row that it did not answer. */
  silentLooks: number;
}

interface Question {
  readonly member: Member;
  settle(report: MemberReport | undefined): void;
}

/** A process that does not answer for so long is shown as it was. */
const ANSWER_MS = 2_000;
/** How often each process is asked whether it still answers. */
const LOOK_MS = 5_000;
/**
 * A process that is silent for so many looks in a row stands still: its leases have run out, others have its shards,
 * and it would never come back by itself. Looks are counted and not time, since after a pause of the whole host nobody
 * has answered.
 */
const SILENT_LOOKS_MAX = 6;
const RESTART_MS_MIN = 1_000;
const RESTART_MS_MAX = 30_000;
/** A process that ran for so long did not fail at its start. */
const STEADY_MS = 60_000;

/**
 * Several processes of one command line, started, watched and stopped together. One that ends is started again: soon,
 * and later and later while it keeps ending.
 */
export class ProcessGroup {
  readonly #options: ProcessGroupOptions;
  readonly #members = new Map<string, Member>();
  readonly #failures = new Map<string, number>();
  readonly #questions = new Map<number, Question>();
  readonly #restarts = new Set<{ cancel(): void }>();
  #requests = 0;
  #isStopping = false;
  #stopSignal: StopSignal | undefined;
  #worstStatus: ExitStatus = EXIT_OK;
  readonly #allEnded = Promise.withResolvers<void>();

  constructor(options: ProcessGroupOptions) {
    this.#options = options;
  }

  /**
   * Starts one, and the others once it has started, so that what is in the way of all is said once. Resolves with the
   * exit status of the first when it could not start.
   */
  async start(): Promise<ExitStatus | undefined> {
    const first = this.#start("1");
    const outcome = await firstOf(first.started, whenSettled(first.ended));
    if (outcome !== "started" && !this.#isStopping) {
      this.#isStopping = true;
      return outcome.status ?? EXIT_FAILED;
    }
    for (let id = 2; id <= this.#options.size && !this.#isStopping; id++) this.#start(String(id));
    return undefined;
  }

  async report(withMetrics: boolean): Promise<GroupReport> {
    const { metrics } = this.#options;
    await Promise.all([...this.#members.values()].map((member) => this.#refresh(member, withMetrics)));
    const mappings = mergeProgress([...this.#members.values()].map((member) => member.mappings));
    if (!withMetrics) return { mappings, metricsText: "" };
    return { mappings, metricsText: await metrics.text() };
  }

  /** Has all read their manifests anew. */
  reload(): void {
    for (const { child } of this.#members.values()) child.send({ kind: "reload" });
  }

  /** Has all drain; resolves when all have ended, with the worst exit status. */
  async stop(signal: StopSignal): Promise<ExitStatus> {
    this.#isStopping = true;
    this.#stopSignal = signal;
    for (const restart of this.#restarts) restart.cancel();
    for (const { child } of this.#members.values()) child.send({ kind: "stop", signal });
    if (this.#members.size > 0) await this.#allEnded.promise;
    return this.#worstStatus;
  }

  killAll(): void {
    this.#isStopping = true;
    for (const { child } of this.#members.values()) child.kill();
  }

  #start(processId: string) {
    const { fork, clock, onLine } = this.#options;
    const child = fork(processId);
    const member: Member = { processId, child, startedMs: undefined, mappings: [], silentLooks: 0 };
    this.#members.set(processId, member);
    const started = Promise.withResolvers<"started">();
    child.onLine(onLine);
    child.onMessage((message) => {
      if (message.kind === "started") {
        member.startedMs = clock.monotonic();
        started.resolve("started");
        this.#watch(member);
        // What is said to a process before it listens may be lost.
        if (this.#stopSignal !== undefined) child.send({ kind: "stop", signal: this.#stopSignal });
      } else this.#heard(member, message);
    });
    const ended = child.ended.then((result) => {
      this.#ended(member, result);
      return result;
    });
    return { started: started.promise, ended };
  }

  #heard({ child }: Member, message: Exclude<FromMember, { kind: "started" }>): void {
    if (message.kind === "reported") {
      this.#questions.get(message.request)?.settle(message.report);
      return;
    }
    const { request, withMetrics } = message;
    void this.report(withMetrics).then((group) => child.send({ kind: "answer", request, group }));
  }

  #ended(member: Member, { status, signal }: { status: number | null; signal: string | null }): void {
    const { processId, startedMs } = member;
    this.#members.delete(processId);
    for (const question of this.#questions.values())
      if (question.member === member) question.settle(undefined);
    this.#options.metrics.retire(processId);
    if (this.#isStopping) {
      this.#worstStatus = Math.max(this.#worstStatus, status ?? EXIT_FAILED);
      if (this.#members.size === 0) this.#allEnded.resolve();
      return;
    }
    // Whoever started the first one alone is told otherwise.
    if (startedMs === undefined && this.#members.size === 0 && this.#failures.size === 0) return;
    this.#restart(member, signal === null ? `status ${status}` : `signal ${signal}`);
  }

  #restart({ processId, startedMs }: Member, reason: string): void {
    const { clock, log } = this.#options;
    const ranMs = startedMs === undefined ? 0 : clock.monotonic() - startedMs;
    const failures = ranMs >= STEADY_MS ? 1 : (this.#failures.get(processId) ?? 0) + 1;
    this.#failures.set(processId, failures);
    const waitMs = Math.min(RESTART_MS_MAX, RESTART_MS_MIN * 2 ** (failures - 1));
    const level: LogLevel = reason === "status 0" ? "info" : "error";
    log(level, "a process has ended and is started again", { process: processId, reason, failures });
    const restart = clock.schedule(waitMs, () => {
      this.#restarts.delete(restart);
      this.#start(processId);
    });
    this.#restarts.add(restart);
  }

  /** Has a process that stands still end, so that another one takes its place. */
  #watch(member: Member): void {
    const { clock, log } = this.#options;
    clock.schedule(LOOK_MS, () => {
      if (this.#isStopping || this.#members.get(member.processId) !== member) return;
      void this.#refresh(member, false).then((hasAnswered) => {
        member.silentLooks = hasAnswered ? 0 : member.silentLooks + 1;
        if (member.silentLooks < SILENT_LOOKS_MAX) return this.#watch(member);
        log("error", "a process does not answer any more and is killed", {
          process: member.processId,
          failures: member.silentLooks,
        });
        member.child.kill();
      });
    });
  }

  /** `false`: it did not answer. */
  async #refresh(member: Member, withMetrics: boolean): Promise<boolean> {
    if (member.startedMs === undefined) return false;
    const report = await this.#ask(member, withMetrics);
    if (report === undefined) return false;
    member.mappings = report.mappings;
    if (withMetrics) this.#options.metrics.update(member.processId, report.metrics);
    return true;
  }

  /** `undefined`: it has ended, or is too late. Nothing of a question outlives it: a process may live for months. */
  #ask(member: Member, withMetrics: boolean): Promise<MemberReport | undefined> {
    const request = ++this.#requests;
    return new Promise((resolve) => {
      const settle = (report: MemberReport | undefined) => {
        timer.cancel();
        this.#questions.delete(request);
        resolve(report);
      };
      const timer = this.#options.clock.schedule(ANSWER_MS, () => settle(undefined));
      this.#questions.set(request, { member, settle });
      member.child.send({ kind: "report", request, withMetrics });
    });
  }
}
