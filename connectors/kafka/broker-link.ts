import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import Connection, { type ApiVersions, type ProtocolRequest } from "kafkajs/src/network/connection.js";
import { Frames } from "../../src/codecs/frames.ts";
import { Failing, firstOf } from "../../src/lib/first-of.ts";
import type { NetworkReach } from "../../src/model/network-reach.ts";
import type { PreparedAccess } from "./access.ts";
import { checkLiteral, reachableLookup } from "./broker-address.ts";
import { abortable, KafkaFault } from "./fault.ts";
import { type ErrorPlace, toFault } from "./kafkajs-errors.ts";
import {
  avoidNegativeTimeouts,
  definitionOf,
  fitRenewal,
  isTlsRecord,
  keyOf,
  SILENT,
  saslOptions,
  versionsOf,
} from "./kafkajs-parts.ts";
import { covers, handMade, ownRequest, withoutAbsent } from "./own-protocol.ts";
import { encodeFetchByTopicId, FETCH_BY_TOPIC_ID } from "./own-requests.ts";
import type { FetchArgs, KafkaRequests } from "./requests.ts";

export interface BrokerLinkOptions {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly access: PreparedAccess;
  readonly reach?: NetworkReach | undefined;
}

export interface RequestOptions {
  readonly signal: AbortSignal;
  /** A broker that does not answer so long is given up, and the link with it. Not less than five seconds. */
  readonly timeoutMs?: number;
  /** Error codes in the answer are the caller's business; otherwise the first one rejects. */
  readonly leavesErrors?: true;
  /** Partitions that are not there are the caller's business alone; any other error code rejects. */
  readonly toleratesAbsent?: true;
}

export interface FetchPayload {
  readonly version: number;
  readonly payload: Buffer;
}

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** For the steps of SASL, which have no time-out of their own; of other requests kafkajs takes the longer one. */
const LOGIN_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 30_000;
/** What a broker may send before it has said who it is, and us who we are. */
const LOGIN_FRAME_BYTES_MAX = 1024 * 1024;
const FRAME_BYTES_MAX = 8 * 1024 * 1024;
/** A first batch comes whole, whatever was asked for. */
const FETCH_FRAME_BYTES_MAX = 65 * 1024 * 1024;
/** The first that answers with record batches; older brokers' messages are another format. */
const FETCH_VERSION_MIN = 4;

/**
 * One connection to one broker: TLS, user, versions. A broker answers the requests of a connection one after another,
 * so what may wait there (Fetch, JoinGroup) has links of its own. A link that fails once stays failed: open another.
 */
export class BrokerLink {
  readonly address: string;
  readonly #options: BrokerLinkOptions;
  readonly #connection: Connection;
  #socket: Socket | undefined;
  #versions: ApiVersions = {};
  #opening: Promise<void> | undefined;
  #isLoggedIn = false;
  /** Fetches under way. */
  #fetches = 0;
  #failure: KafkaFault | undefined;
  readonly #failing = new Failing();

  constructor(options: BrokerLinkOptions) {
    const { host, port, clientId, access } = options;
    this.#options = options;
    this.address = `${host}:${port}`;
    this.#connection = new Connection({
      host,
      port,
      clientId,
      logger: SILENT,
      socketFactory: ({ onConnect }) => this.#openSocket(onConnect),
      ssl: access.tls ?? null,
      sasl: access.sasl === undefined ? null : saslOptions(access.sasl),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: LOGIN_TIMEOUT_MS,
      enforceRequestTimeout: true,
    });
    avoidNegativeTimeouts(this.#connection);
    this.#boundFrames(this.#connection);
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Resolves when requests may be made. Callers share the attempt. */
  open(signal: AbortSignal): Promise<void> {
    this.#opening ??= this.#guard(this.#connect(), "connecting");
    return abortable(this.#opening, signal);
  }

  /**
   * @throws KafkaFault, or ERR_MILLRACE_ABORTED when the signal aborts; the broker may then still do what was asked.
   */
  async request<Name extends keyof KafkaRequests>(
    name: Name,
    args: KafkaRequests[Name]["args"],
    options: RequestOptions,
  ): Promise<KafkaRequests[Name]["answer"]> {
    await this.open(options.signal);
    const request = this.#build(name, args);
    const { decode, parse } = request.response;
    const asIs = async (answer: unknown) => answer;
    const tolerant = async (answer: unknown) => {
      await parse(withoutAbsent(answer));
      return answer;
    };
    const response = {
      decode,
      parse: options.leavesErrors ? asIs : options.toleratesAbsent ? tolerant : parse,
    };
    const answer = await this.#send(name, { ...request, response }, options);
    // kafkajs's decoders give these shapes; the tests against real brokers say so.
    return answer as KafkaRequests[Name]["answer"];
  }

  /** The answer as bytes: our own decoder reads it, partition by partition. */
  async fetch(args: FetchArgs, options: RequestOptions): Promise<FetchPayload> {
    await this.open(options.signal);
    const request = this.#buildFetch(args);
    const version = request.request.apiVersion;
    if (version < FETCH_VERSION_MIN) {
      throw new KafkaFault(
        "unsupported",
        `The broker ${this.address} is older than Kafka 0.11, whose message format is not read.`,
      );
    }
    const response = { decode: async (payload: Buffer) => payload, parse: async (answer: unknown) => answer };
    this.#fetches++;
    try {
      const payload = await this.#send("Fetch", { ...request, response }, options);
      return { version, payload: payload as Buffer };
    } finally {
      this.#fetches--;
    }
  }

  /** Ends the connection at once. Requests under way reject. Idempotent. */
  close(): void {
    this.#fail(new KafkaFault("closed", `The connection to the broker ${this.address} was closed.`));
  }

  async #connect(): Promise<void> {
    checkLiteral(this.#options.host, this.#options.reach);
    const connection = this.#connection;
    await connection.connect();
    this.#versions = await this.#readVersions();
    connection.setVersions(this.#versions);
    connection.setSupportAuthenticationProtocol(this.#versions[keyOf("SaslAuthenticate")] !== undefined);
    await connection.authenticate();
    fitRenewal(connection);
    this.#isLoggedIn = true;
  }

  /** kafkajs believes any length, and joins what has come anew with each piece of it. It gets whole frames. */
  #boundFrames(connection: Connection): void {
    const process = connection.processData.bind(connection);
    const frames = new Frames({
      bytesMax: () => this.#frameBytesMax,
      onFrame: process,
      onTooLarge: (bytes) => this.#fail(this.#frameFault(bytes)),
    });
    connection.processData = (piece) => {
      // A step of SASL in the way of Kafka before 1.0, which has no frame.
      if (connection.authHandlers !== null && !connection.authExpectResponse) process(piece);
      else frames.push(piece);
    };
  }

  get #frameBytesMax(): number {
    if (!this.#isLoggedIn) return LOGIN_FRAME_BYTES_MAX;
    return this.#fetches > 0 ? FETCH_FRAME_BYTES_MAX : FRAME_BYTES_MAX;
  }

  #frameFault(bytes: number): KafkaFault {
    if (!this.#isLoggedIn && isTlsRecord(bytes)) {
      return toFault(new Error("the broker answered in TLS"), this.#place("connecting"));
    }
    return new KafkaFault(
      "tooLarge",
      `The broker ${this.address} announced an answer of ${bytes} bytes; at most ${this.#frameBytesMax} are taken here. ` +
        "Look whether a Kafka broker answers at this address, and at the topic's max.message.bytes.",
    );
  }

  async #readVersions(): Promise<ApiVersions> {
    const definition = definitionOf("ApiVersions");
    for (const version of definition.versions.map(Number).sort((a, b) => b - a)) {
      try {
        const answer = await this.#connection.send({
          ...definition.protocol({ version })({}),
          requestTimeout: CONNECT_TIMEOUT_MS,
        });
        return versionsOf(answer);
      } catch (error) {
        if (toFault(error, this.#place("ApiVersions")).reason !== "unsupported") throw error;
      }
    }
    throw new KafkaFault("unsupported", `The broker ${this.address} speaks no known version of ApiVersions.`);
  }

  #build(name: string, args: object): ProtocolRequest {
    const offered = this.#versions[keyOf(name)];
    const own = ownRequest(name, args, offered, this.#place(name));
    if (own !== undefined) return own;
    const definition = definitionOf(name);
    const best = Math.max(...definition.versions.map(Number));
    const version = Math.min(best, offered?.maxVersion ?? -1);
    if (offered === undefined || version < offered.minVersion || version < 0) {
      throw new KafkaFault(
        "unsupported",
        `The broker ${this.address} has no ${name} that this client speaks.`,
      );
    }
    return definition.protocol({ version })(args);
  }

  /** By topic id where both the cluster and its broker know it. */
  #buildFetch(args: FetchArgs): ProtocolRequest {
    const offered = this.#versions[keyOf("Fetch")];
    const hasIds = args.topics.every(({ topicId }) => topicId !== undefined);
    if (!hasIds || !covers(offered, FETCH_BY_TOPIC_ID)) return this.#build("Fetch", args);
    const place = this.#place("Fetch");
    return handMade(FETCH_BY_TOPIC_ID, encodeFetchByTopicId(args), (payload) => payload, place);
  }

  #send(name: string, request: ProtocolRequest, options: RequestOptions): Promise<unknown> {
    const requestTimeout = Math.max(options.timeoutMs ?? REQUEST_TIMEOUT_MS, request.requestTimeout ?? 0);
    const answer = this.#guard(this.#connection.send({ ...request, requestTimeout }), name);
    return abortable(answer, options.signal);
  }

  /** Faults in our words; a lost connection ends the wait whatever kafkajs makes of it, and the link. */
  async #guard<T>(work: Promise<T>, action: string): Promise<T> {
    try {
      // plant: a-link-to-a-broker-races-with-one-promise-that-lives-as-long
      return await firstOf(work, this.#failing.whenFailed);
    } catch (error) {
      const fault = toFault(error, this.#place(action));
      // Behind an unanswered request the answers of others would wait as well.
      if (action === "connecting" || fault.reason !== "protocol") this.#fail(fault);
      throw fault;
    }
  }

  #fail(fault: KafkaFault): void {
    if (this.#failure !== undefined) return;
    this.#failure = fault;
    this.#failing.fail(fault);
    this.#connection.rejectRequests(fault);
    this.#connection.disconnect().catch(() => undefined);
    this.#socket?.destroy();
  }

  #openSocket(onConnect: () => void): Socket {
    const { host, port, access, reach } = this.#options;
    const place = { host, port, ...reachableLookup(reach) };
    const socket =
      access.tls === undefined
        ? connect(place, onConnect)
        : connectTls(
            { ...place, ...(isIP(host) === 0 ? { servername: host } : {}), ...access.tls },
            onConnect,
          );
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    // Comes last of all events of a socket: an error before it has said more.
    socket.on("close", () =>
      setImmediate(() =>
        this.#fail(toFault(new Error("the connection was closed"), this.#place("connecting"))),
      ),
    );
    this.#socket = socket;
    return socket;
  }

  #place(action: string): ErrorPlace {
    const { tls, sasl } = this.#options.access;
    return { action, broker: this.address, usesTls: tls !== undefined, mechanism: sasl?.mechanism };
  }
}
