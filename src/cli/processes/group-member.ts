import type { MappingProgress } from "../progress-display.ts";
import type { GroupLink, GroupReport } from "./group-messages.ts";

export interface MemberSources {
  readonly progress: () => readonly MappingProgress[];
  readonly metrics: () => Promise<unknown>;
}

/** What a process of several tells its parent, and asks it. */
export class GroupMember {
  readonly #link: GroupLink;
  readonly #sources: MemberSources;
  readonly #answers = new Map<number, (group: GroupReport) => void>();
  #requests = 0;

  constructor(link: GroupLink, sources: MemberSources) {
    this.#link = link;
    this.#sources = sources;
    link.onMessage((message) => {
      if (message.kind === "report") void this.#report(message.request, message.withMetrics);
      else if (message.kind === "answer") this.#answered(message.request, message.group);
    });
  }

  started(): void {
    this.#link.send({ kind: "started" });
  }

  /** How it is with all processes. */
  group(withMetrics: boolean): Promise<GroupReport> {
    const request = ++this.#requests;
    return new Promise((resolve) => {
      this.#answers.set(request, resolve);
      this.#link.send({ kind: "ask", request, withMetrics });
    });
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
