import type { NetworkReach } from "../../src/model/network-reach.ts";
import { type KafkaAccess, type PreparedAccess, prepareAccess } from "./access.ts";
import { BrokerLink } from "./broker-link.ts";
import { isFault, KafkaFault, throwIfAborted } from "./fault.ts";
import { type ErrorPlace, faultOfCode, nameOfCode } from "./kafkajs-errors.ts";
import type { BrokerAddress, MetadataAnswer } from "./requests.ts";

export interface ClusterOptions {
  /** `host:port`, at least one; IPv6 in brackets. */
  readonly bootstrap: readonly string[];
  readonly access: KafkaAccess;
  /** What brokers call us in their logs and quotas. */
  readonly clientId: string;
  /** Where connections may go, bootstrap servers and those that they advertise; absent: anywhere. */
  readonly reach?: NetworkReach;
}

/**
 * What a connection is for. A broker answers a connection's requests in their order, so that a long poll or a rebalance
 * would hold up heartbeats and commits behind it.
 */
export type Lane = "control" | "fetch" | PollLane | "late" | "group" | "join";
export type PollLane = "poll" | `poll-${number}`;

export interface TopicDescription {
  /** Another for a topic that was made anew under the name; `undefined`: the cluster has none. */
  readonly id: string | undefined;
  /** In order. */
  readonly partitions: readonly TopicPartition[];
}

export interface TopicPartition {
  readonly partition: number;
  /** `undefined`: none now. */
  readonly leader: number | undefined;
}

/** Any broker can answer: one that takes longer is left for another. */
const METADATA_TIMEOUT_MS = 5_000;

/**
 * The brokers of one cluster, by one access: connections on demand, one for each broker and lane, made anew when they
 * fail. Calls are made without retries; they reject with `KafkaFault`, or with `ERR_MILLRACE_ABORTED`.
 */
export class KafkaCluster {
  readonly #clientId: string;
  readonly #access: PreparedAccess;
  readonly #reach: NetworkReach | undefined;
  readonly #bootstrap: readonly Address[];
  readonly #brokers = new Map<number, Address>();
  readonly #links = new Map<string, BrokerLink>();
  readonly #coordinators = new Map<string, number>();
  #nextBootstrap = 0;
  #isClosed = false;

  /** @throws ERR_MILLRACE_CONFIG for addresses that are none, and as `prepareAccess` does. */
  constructor(options: ClusterOptions) {
    this.#clientId = options.clientId;
    this.#access = prepareAccess(options.access);
    this.#reach = options.reach;
    this.#bootstrap = options.bootstrap.map(parseAddress);
  }

  /** The partitions of a topic, and who leads them; as `describe`. */
  async topic(topic: string, signal: AbortSignal): Promise<readonly TopicPartition[]> {
    return (await this.describe(topic, signal)).partitions;
  }

  /** A topic, fresh from a broker. Rejects as not found when there is none of this name. */
  async describe(topic: string, signal: AbortSignal): Promise<TopicDescription> {
    const found = await this.#describe(topic, signal);
    const code = found === undefined ? "UNKNOWN_TOPIC_OR_PARTITION" : codeName(found.topicErrorCode);
    if (found === undefined || code !== undefined)
      throw this.#topicFault(topic, code ?? "", found?.topicErrorCode);
    const partitions = found.partitionMetadata
      .map(({ partitionId, leader }) => ({
        partition: partitionId,
        leader: leader < 0 || !this.#brokers.has(leader) ? undefined : leader,
      }))
      .sort((a, b) => a.partition - b.partition);
    return { id: found.topicId, partitions };
  }

  /** A link to a broker that metadata or a coordinator has named. */
  async broker(nodeId: number, lane: Lane, signal: AbortSignal): Promise<BrokerLink> {
    const address = this.#brokers.get(nodeId);
    if (address === undefined) {
      throw new KafkaFault(
        "unreachable",
        `The broker with the id ${nodeId} is not in the cluster's metadata now.`,
        { endpoint: `the broker with the id ${nodeId}` },
      );
    }
    return await this.#open(address, lane, signal);
  }

  /** The node id of a group's coordinator; remembered until it is said to be wrong. */
  async coordinator(groupId: string, signal: AbortSignal): Promise<number> {
    const known = this.#coordinators.get(groupId);
    if (known !== undefined) return known;
    const link = await this.anyBroker("control", signal);
    const { coordinator } = await link.request("GroupCoordinator", { groupId }, { signal });
    this.#brokers.set(coordinator.nodeId, coordinator);
    this.#coordinators.set(groupId, coordinator.nodeId);
    return coordinator.nodeId;
  }

  forgetCoordinator(groupId: string): void {
    this.#coordinators.delete(groupId);
  }

  /** A broker that answers: one that is connected, else one after another. */
  async anyBroker(lane: Lane, signal: AbortSignal): Promise<BrokerLink> {
    const candidates = this.#candidates();
    this.#nextBootstrap++;
    const connected = candidates.find(
      (address) => this.#links.get(keyOf(address, lane))?.hasFailed === false,
    );
    if (connected !== undefined) {
      try {
        return await this.#open(connected, lane, signal);
      } catch (error) {
        throwIfAborted(signal);
        if (!(error instanceof KafkaFault)) throw error;
      }
    }
    let worst: unknown;
    for (const address of candidates) {
      throwIfAborted(signal);
      try {
        return await this.#open(address, lane, signal);
      } catch (error) {
        throwIfAborted(signal);
        // That credentials are wrong says more than that one of the brokers is down.
        if (worst === undefined || isFault(error, "tls", "authentication")) worst = error;
      }
    }
    throw worst;
  }

  /** Idempotent; what is under way rejects. */
  close(): void {
    this.#isClosed = true;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  /** A broker that has just started may not know a topic yet: that there is none is believed when two say so. */
  async #describe(topic: string, signal: AbortSignal): Promise<TopicAnswer | undefined> {
    const first = await this.anyBroker("control", signal);
    const found = await this.#ask(first, topic, signal);
    if (found !== undefined && codeName(found.topicErrorCode) !== "UNKNOWN_TOPIC_OR_PARTITION") return found;
    for (const address of this.#brokers.values()) {
      if (first.address === addressText(address)) continue;
      try {
        return await this.#ask(await this.#open(address, "control", signal), topic, signal);
      } catch (error) {
        throwIfAborted(signal);
        if (!(error instanceof KafkaFault)) throw error;
      }
    }
    return found;
  }

  async #ask(link: BrokerLink, topic: string, signal: AbortSignal): Promise<TopicAnswer | undefined> {
    const args = { topics: [topic], allowAutoTopicCreation: false } as const;
    const options = { signal, leavesErrors: true, timeoutMs: METADATA_TIMEOUT_MS } as const;
    const answer = await link.request("Metadata", args, options);
    if (answer.brokers.length > 0) this.#learn(answer.brokers);
    return answer.topicMetadata.find((entry) => entry.topic === topic);
  }

  #learn(brokers: readonly BrokerAddress[]): void {
    this.#brokers.clear();
    for (const broker of brokers) this.#brokers.set(broker.nodeId, broker);
    // Failed links of brokers that are still there say whom to ask last.
    const addresses = new Set(this.#candidates().map(addressText));
    for (const [key, link] of this.#links) {
      if (link.hasFailed && !addresses.has(link.address)) this.#links.delete(key);
    }
  }

  async #open(address: Address, lane: Lane, signal: AbortSignal): Promise<BrokerLink> {
    throwIfAborted(signal);
    if (this.#isClosed) throw new KafkaFault("closed", "The connection to the Kafka cluster was closed.");
    const key = keyOf(address, lane);
    let link = this.#links.get(key);
    if (link === undefined || link.hasFailed) {
      link = new BrokerLink({
        ...address,
        clientId: this.#clientId,
        access: this.#access,
        reach: this.#reach,
      });
      this.#links.set(key, link);
    }
    await link.open(signal);
    return link;
  }

  /**
   * Known brokers first, then the bootstrap servers: all of the known ones may have moved. Those where something has
   * failed come last: one that stands still is found out by a time-out only.
   */
  #candidates(): readonly Address[] {
    const turn = this.#nextBootstrap % this.#bootstrap.length;
    const bootstrap = [...this.#bootstrap.slice(turn), ...this.#bootstrap.slice(0, turn)];
    const failed = new Set(
      [...this.#links.values()].filter((link) => link.hasFailed).map((link) => link.address),
    );
    const all = [...this.#brokers.values(), ...bootstrap];
    const isSound = (address: Address) => !failed.has(addressText(address));
    return [...all.filter(isSound), ...all.filter((address) => !isSound(address))];
  }

  #topicFault(topic: string, name: string, code: number | undefined): KafkaFault {
    if (code === undefined || name === "UNKNOWN_TOPIC_OR_PARTITION" || name === "INVALID_TOPIC_EXCEPTION") {
      const servers = this.#bootstrap.map(addressText).join(", ");
      return new KafkaFault(
        "notFound",
        `The Kafka cluster at ${servers} has no topic "${topic}". Look at the topic's name, and at the bootstrap servers.`,
        { protocolCode: "UNKNOWN_TOPIC_OR_PARTITION" },
      );
    }
    const place: ErrorPlace = {
      action: `Metadata of the topic "${topic}"`,
      broker: undefined,
      usesTls: false,
    };
    return faultOfCode(code, place);
  }
}

type TopicAnswer = MetadataAnswer["topicMetadata"][number];

interface Address {
  readonly host: string;
  readonly port: number;
}

function keyOf(address: Address, lane: Lane): string {
  return `${addressText(address)}/${lane}`;
}

function addressText({ host, port }: Address): string {
  return `${host}:${port}`;
}

function codeName(code: number): string | undefined {
  return code === 0 ? undefined : nameOfCode(code);
}

const ADDRESS = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/;

function parseAddress(text: string): Address {
  const [, ipv6, name, port] = ADDRESS.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined || Number(port) > 65_535) {
    throw new KafkaFault(
      "unsupported",
      `"${text.slice(0, 100)}" is no address of a Kafka broker: give host:port.`,
    );
  }
  return { host, port: Number(port) };
}
