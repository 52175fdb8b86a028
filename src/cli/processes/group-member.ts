import type { Clock } from "../../ports/clock.ts";
import type { MappingProgress } from "../mapping-progress.ts";
import type { GroupLink, GroupReport } from "./group-messages.ts";

export interface MemberSources {
  readonly progress: () => readonly MappingProgress[];
  readonly metrics: () => Promise<unknown>;
  /** Metrics of this process alone, for a parent that does not answer. */
  readonly metricsText: () => Promise<string>;
}

/** More than the parent waits for its processes. */
const ANSWER_MS = 5_000;

/** What a process of several tells its parent, and asks it. */
export class GroupMember {
  readonly #link: GroupLink;
  readonly #sources: MemberSources;
  readonly #clock: Clock;
  readonly #answers = new Map<number, (group: GroupReport) => void>();
  #requests = 0;

  constructor(link: GroupLink, sources: MemberSources, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
    this.#sources = sources;
    link.onMessage((message) => {
      if (message.kind === "report") void this.#report(message.request, message.withMetrics);
      else if (message.kind === "answer") this.#answered(message.request, message.group);
    });
  }

  started(): void {
    this.#link.send({ kind: "started" });
  }

  /** How it is with all processes; with this one alone when the parent stands still. */
  async group(withMetrics: boolean): Promise<GroupReport> {
    const request = ++this.#requests;
    const group = await new Promise<GroupReport | undefined>((resolve) => {
      const timer = this.#clock.schedule(ANSWER_MS, () => {
        this.#answers.delete(request);
        resolve(undefined);
      });
      this.#answers.set(request, (answer) => {
        timer.cancel();
        resolve(answer);
      });
      this.#link.send({ kind: "ask", request, withMetrics });
    });
    if (group !== undefined) return group;
    const { progress, metricsText } = this.#sources;
    return { mappings: progress(), metricsText: withMetrics ? await metricsText() : "" };
  }

  #answered(request: number, group: GroupReport): void {
    this.#answers.get(request)?.(group);
    this.#answers.delete(request);
  }

  async #report(request: number, withMetrics: boolean): Promise<void> {
    const { progress, metrics } = this.#sources;
    const report = { mappings: progress(), metrics: withMetrics ? await metrics() : undefined };
    this.#link.send({ kind: "reported", request, report });
  }
}
