import {
  type GroupApi,
  GroupFault,
  type GroupFaultCode,
  type GroupIdentity,
  type JoinAnswer,
  type JoinRequest,
  type OffsetCommit,
} from "../../../../connectors/kafka/group-api.ts";
import type { Clock, ScheduledCall } from "../../../../src/ports/clock.ts";

interface Member {
  readonly id: string;
  request: JoinRequest;
  assignment: Buffer;
  join: Waiting<JoinAnswer> | undefined;
  sync: Waiting<Buffer> | undefined;
  session: ScheduledCall | undefined;
}

interface Waiting<T> {
  resolve(answer: T): void;
  reject(error: unknown): void;
}

export type GroupCall = "join" | "sync" | "heartbeat" | "leave" | "commit" | "committed" | "partitionCounts";

/** What happens to a process's calls: `lost` takes effect but its answer never arrives. */
export type Weather = (call: GroupCall) => "fine" | "unreachable" | "lost";

const fault = (code: GroupFaultCode, memberId?: string) =>
  new GroupFault(code, code, memberId === undefined ? {} : { memberId });

/**
 * One consumer group as Kafka's coordinator keeps it (its classic protocol): join barriers, generations, sessions,
 * fencing, committed offsets. All of it on a clock that a test moves.
 */
export class TestCoordinator {
  readonly offsets = new Map<number, OffsetCommit>();
  /** Every commit that was stored, in order. */
  readonly commits: (OffsetCommit & GroupIdentity)[] = [];
  readonly calls: GroupCall[] = [];
  generation = 0;
  /** The broker's bound on metadata is 0. */
  rejectsMetadata = false;
  partitions: number;
  readonly #topic: string;
  readonly #clock: Clock;
  readonly #members = new Map<string, Member>();
  readonly #promisedIds = new Set<string>();
  #state: "stable" | "preparing" | "completing" = "stable";
  #leaderId = "";
  #barrier: ScheduledCall | undefined;
  #ids = 0;

  constructor(clock: Clock, topic: string, partitions: number) {
    this.#clock = clock;
    this.#topic = topic;
    this.partitions = partitions;
  }

  get memberIds(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** The topic is deleted and made anew: the broker forgets what was committed of it. */
  remakeTopic(partitions: number): void {
    this.partitions = partitions;
    this.offsets.clear();
  }

  /** As a session that ended, or an operator, does it. */
  expel(memberId: string): void {
    const member = this.#members.get(memberId);
    member?.session?.cancel();
    member?.join?.reject(fault("unknownMember"));
    member?.sync?.reject(fault("unknownMember"));
    if (this.#members.delete(memberId)) this.#prepare();
  }

  /** A coordinator that starts anew with nothing but the committed offsets. */
  forgetMembers(): void {
    for (const member of this.#members.values()) {
      member.session?.cancel();
      member.join?.reject(fault("unavailable"));
      member.sync?.reject(fault("unavailable"));
    }
    this.#members.clear();
    this.#barrier?.cancel();
    this.#state = "stable";
  }

  /** A process's way to the group. */
  api(weather: Weather = () => "fine"): GroupApi {
    const call = async <T>(name: GroupCall, signal: AbortSignal, work: () => T | Promise<T>): Promise<T> => {
      this.calls.push(name);
      signal.throwIfAborted();
      const kind = weather(name);
      if (kind === "unreachable") throw fault("unavailable");
      const answer = Promise.resolve().then(work);
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
      });
      const result = await Promise.race([answer, aborted]);
      if (kind === "lost") throw fault("unavailable");
      return result;
    };
    return {
      join: (request, signal) => call("join", signal, () => this.#join(request)),
      sync: (member, assignments, signal) => call("sync", signal, () => this.#sync(member, assignments)),
      heartbeat: (member, signal) => call("heartbeat", signal, () => this.#heartbeat(member)),
      leave: (memberId, signal) => call("leave", signal, () => this.expel(memberId)),
      commit: (member, commits, signal) => call("commit", signal, () => this.#commit(member, commits)),
      committed: (partitions, signal) =>
        call("committed", signal, () => {
          const known = partitions.map((partition) => this.offsets.get(partition));
          return new Map(
            known.filter((commit) => commit !== undefined).map((each) => [each.partition, each]),
          );
        }),
      partitionCounts: (topics, signal) =>
        call("partitionCounts", signal, () => {
          return new Map(
            topics.filter((topic) => topic === this.#topic).map((each) => [each, this.partitions]),
          );
        }),
    };
  }

  #join(request: JoinRequest): Promise<JoinAnswer> {
    const { memberId } = request;
    if (memberId === "") {
      const promised = `member-${++this.#ids}`;
      this.#promisedIds.add(promised);
      throw fault("memberIdRequired", promised);
    }
    let member = this.#members.get(memberId);
    if (member === undefined) {
      if (!this.#promisedIds.delete(memberId)) throw fault("unknownMember");
      const assignment = Buffer.alloc(0);
      member = { id: memberId, request, assignment, join: undefined, sync: undefined, session: undefined };
      this.#members.set(memberId, member);
    } else if (
      this.#state === "stable" &&
      memberId !== this.#leaderId &&
      member.request.subscription.equals(request.subscription)
    ) {
      this.#live(member);
      return Promise.resolve(this.#answerTo(member));
    }
    const joining = member;
    joining.request = request;
    this.#live(joining);
    return new Promise((resolve, reject) => {
      joining.join?.reject(fault("unavailable"));
      joining.join = { resolve, reject };
      this.#prepare();
    });
  }

  /** Waits for everyone; those who do not come in time are out. */
  #prepare(): void {
    if (this.#state !== "preparing") {
      this.#state = "preparing";
      for (const member of this.#members.values()) {
        member.sync?.reject(fault("rebalanceInProgress"));
        member.sync = undefined;
      }
      const waits = [...this.#members.values()].map(({ request }) => request.rebalanceTimeoutMs);
      this.#barrier = this.#clock.schedule(Math.max(0, ...waits), () => {
        for (const { id, join, session } of [...this.#members.values()]) {
          if (join !== undefined) continue;
          session?.cancel();
          this.#members.delete(id);
        }
        this.#complete();
      });
    }
    if ([...this.#members.values()].every(({ join }) => join !== undefined)) this.#complete();
  }

  #complete(): void {
    this.#barrier?.cancel();
    this.generation++;
    if (this.#members.size === 0) {
      this.#state = "stable";
      return;
    }
    this.#state = "completing";
    if (!this.#members.has(this.#leaderId)) this.#leaderId = [...this.#members.keys()][0] ?? "";
    for (const member of this.#members.values()) {
      member.join?.resolve(this.#answerTo(member));
      member.join = undefined;
      this.#live(member);
    }
  }

  #answerTo({ id }: Member): JoinAnswer {
    const members = [...this.#members.values()].map((member) => ({
      memberId: member.id,
      subscription: member.request.subscription,
    }));
    return {
      memberId: id,
      generation: this.generation,
      leaderId: this.#leaderId,
      members: id === this.#leaderId ? members : [],
    };
  }

  #sync(identity: GroupIdentity, assignments: ReadonlyMap<string, Buffer>): Promise<Buffer> {
    const member = this.#known(identity);
    if (this.#state === "preparing") throw fault("rebalanceInProgress");
    if (this.#state === "stable") return Promise.resolve(member.assignment);
    return new Promise((resolve, reject) => {
      member.sync = { resolve, reject };
      if (member.id !== this.#leaderId) return;
      this.#state = "stable";
      for (const each of this.#members.values()) {
        each.assignment = assignments.get(each.id) ?? Buffer.alloc(0);
        each.sync?.resolve(each.assignment);
        each.sync = undefined;
        this.#live(each);
      }
    });
  }

  #heartbeat(identity: GroupIdentity): void {
    this.#live(this.#known(identity));
    if (this.#state === "preparing") throw fault("rebalanceInProgress");
  }

  #commit(identity: GroupIdentity, commits: readonly OffsetCommit[]): ReadonlySet<number> {
    this.#known(identity);
    if (this.#state === "completing") throw fault("rebalanceInProgress");
    if (this.rejectsMetadata && commits.some(({ metadata }) => metadata !== null))
      throw fault("metadataTooLarge");
    const isAbsent = ({ partition }: OffsetCommit) => partition >= this.partitions;
    for (const commit of commits.filter((each) => !isAbsent(each))) {
      this.offsets.set(commit.partition, commit);
      this.commits.push({ ...commit, ...identity });
    }
    return new Set(commits.filter(isAbsent).map(({ partition }) => partition));
  }

  #known({ memberId, generation }: GroupIdentity): Member {
    const member = this.#members.get(memberId);
    if (member === undefined) throw fault("unknownMember");
    if (generation !== this.generation) throw fault("illegalGeneration");
    return member;
  }

  #live(member: Member): void {
    member.session?.cancel();
    member.session = this.#clock.schedule(member.request.sessionTimeoutMs, () => {
      if (member.join !== undefined || member.sync !== undefined) this.#live(member);
      else this.expel(member.id);
    });
  }
}
