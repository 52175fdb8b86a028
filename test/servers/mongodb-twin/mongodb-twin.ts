import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { type Document, Long } from "mongodb";
import { TwinData } from "./twin-data.ts";
import { CommandError } from "./twin-error.ts";
import { TwinLog, timestampOf } from "./twin-log.ts";
import { TwinScram, type TwinUser } from "./twin-scram.ts";
import { TwinStreams } from "./twin-streams.ts";
import { readRequests, type WireRequest } from "./twin-wire.ts";

export interface TwinOptions {
  /** Without any nobody logs in. */
  readonly users?: readonly TwinUser[];
  readonly tls?: TlsOptions;
  /** No member of a replica set: it has no change streams. */
  readonly isAlone?: boolean;
  /** 21 is MongoDB 7, 8 is 4.2. */
  readonly maxWireVersion?: number;
  /** Nobody may look into the log. */
  readonly hidesLog?: boolean;
}

/** Failures that were asked for by `configureFailPoint: failCommand`, as MongoDB documents it for tests. */
interface FailPoint {
  left: number;
  readonly commands: readonly string[];
  readonly way: "close" | "silence" | "answer";
  readonly answer: Document | undefined;
}

const SET = "twin";

/**
 * A replica set of one member that answers MongoDB's wire protocol as its manual says: documents by `_id`, a log with
 * a beginning, change streams with resume tokens, logins, failures that are asked for. It is no MongoDB: what it does
 * is what its authors have read. Registries have no server of MongoDB that a test could start.
 */
export class MongoTwin {
  readonly log = new TwinLog();
  readonly data = new TwinData(this.log);
  readonly streams = new TwinStreams(this.log, this.data);
  readonly #options: TwinOptions;
  readonly #sockets = new Set<Socket>();
  readonly #failPoints: FailPoint[] = [];
  readonly #server: Server;
  #isPrimary = true;
  /** Commands that were taken, by their names. */
  readonly taken = new Map<string, number>();

  constructor(options: TwinOptions = {}) {
    this.#options = options;
    const onSocket = (socket: Socket) => this.#serve(socket);
    this.#server =
      options.tls === undefined ? createServer(onSocket) : createTlsServer(options.tls, onSocket);
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `mongodb://127.0.0.1:${this.port}/?${this.#options.tls === undefined ? "tls=false" : ""}`;
  }

  /** The primary steps down, cursors and connections end, and it is elected again a while later. */
  async stepDown(ms: number): Promise<void> {
    this.#isPrimary = false;
    this.streams.killAll();
    this.dropConnections();
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#isPrimary = true;
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  failNext(commands: readonly string[], answer: Document | "close" | "silence", times = 1): void {
    const failPoint = { left: times, commands };
    if (typeof answer === "string") this.#failPoints.push({ ...failPoint, way: answer, answer: undefined });
    else this.#failPoints.push({ ...failPoint, way: "answer", answer });
  }

  async close(): Promise<void> {
    this.streams.killAll();
    this.dropConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    const session: Session = { scram: undefined, isKnown: this.#options.users === undefined };
    readRequests(socket, (request) => void this.#answer(socket, session, request));
  }

  async #answer(socket: Socket, session: Session, request: WireRequest): Promise<void> {
    const [name = ""] = Object.keys(request.command);
    this.taken.set(name, (this.taken.get(name) ?? 0) + 1);
    try {
      const failPoint = this.#failPointOf(name);
      if (failPoint?.way === "close") return void socket.destroy();
      if (failPoint?.way === "silence") return;
      const answer = failPoint?.answer ?? { ok: 1, ...(await this.#run(name, request, session)) };
      if (!request.isUnanswered) request.answer(answer);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (!request.isUnanswered) request.answer(error.answer);
    }
  }

  #failPointOf(name: string): FailPoint | undefined {
    const found = this.#failPoints.find(({ left, commands }) => left > 0 && commands.includes(name));
    if (found !== undefined) found.left--;
    return found;
  }

  async #run(name: string, request: WireRequest, session: Session): Promise<Document> {
    const { command } = request;
    switch (name.toLowerCase()) {
      case "hello":
      case "ismaster":
        return this.#hello(command);
      case "saslstart":
        session.scram = new TwinScram(this.#options.users ?? []);
        return session.scram.start(command);
      case "saslcontinue": {
        const answer = session.scram?.proceed(command) ?? {};
        session.isKnown = true;
        return answer;
      }
      case "ping":
      case "endsessions":
        return {};
    }
    if (!session.isKnown)
      throw new CommandError(13, "Unauthorized", `Command ${name} requires authentication`);
    if (!this.#isPrimary)
      throw new CommandError(10_107, "NotWritablePrimary", "not primary", ["ResumableChangeStreamError"]);
    return { ...(await this.#runKnown(name, request)), operationTime: timestampOf(this.log.last) };
  }

  #hello(command: Document): Document {
    const { isAlone = false, maxWireVersion = 21, users } = this.#options;
    const address = `127.0.0.1:${this.port}`;
    const isPrimary = this.#isPrimary;
    const member = {
      setName: SET,
      setVersion: 1,
      hosts: [address],
      me: address,
      secondary: !isPrimary,
      ...(isPrimary ? { primary: address } : {}),
    };
    const mechanisms = users !== undefined && "saslSupportedMechs" in command ? ["SCRAM-SHA-256"] : undefined;
    return {
      helloOk: true,
      isWritablePrimary: isPrimary,
      ismaster: isPrimary,
      ...(isAlone ? {} : member),
      maxBsonObjectSize: 16_777_216,
      maxMessageSizeBytes: 48_000_000,
      maxWriteBatchSize: 100_000,
      localTime: new Date(this.log.nowMs),
      logicalSessionTimeoutMinutes: 30,
      connectionId: 1,
      minWireVersion: 0,
      maxWireVersion,
      readOnly: false,
      ...(mechanisms === undefined ? {} : { saslSupportedMechs: mechanisms }),
    };
  }

  async #runKnown(name: string, { command, database }: WireRequest): Promise<Document> {
    const collection = String(command[name]);
    switch (name) {
      case "aggregate":
        if (this.#options.isAlone === true)
          throw new CommandError(
            40_573,
            "Location40573",
            "The $changeStream stage is only supported on replica sets",
          );
        return this.streams.open(database, command);
      case "getMore":
        return await this.streams.more(command);
      case "killCursors":
        this.streams.kill(command["cursors"]);
        return { cursorsKilled: command["cursors"] };
      case "find":
        return this.#findLog(database, collection);
      case "listDatabases": {
        const wanted: unknown = command["filter"]?.name;
        const names = this.data.names.filter((each) => wanted === undefined || each === wanted);
        return { databases: names.map((each) => ({ name: each })) };
      }
      case "create":
        this.data.make(database, collection);
        return {};
      case "insert":
        for (const document of command["documents"]) this.data.insert(database, collection, document);
        return { n: command["documents"].length };
      case "update":
        return this.#update(database, collection, command);
      case "delete":
        return this.#delete(database, collection, command);
      case "drop":
        if (this.data.drop(database, collection)) return {};
        throw new CommandError(26, "NamespaceNotFound", "ns not found");
      case "dropDatabase":
        this.data.dropDatabase(database);
        return { dropped: database };
      case "configureFailPoint":
        return this.#configure(command);
      case "replSetStepDown":
        void this.stepDown(Number(command["replSetStepDown"]) * 1000);
        return {};
      default:
        throw new CommandError(59, "CommandNotFound", `no such command: '${name}'`);
    }
  }

  #findLog(database: string, collection: string): Document {
    if (this.#options.hidesLog === true)
      throw new CommandError(13, "Unauthorized", "not authorized on local");
    const isLog = database === "local" && collection === "oplog.rs";
    const firstBatch = isLog ? [{ ts: timestampOf(this.log.oldest) }] : [];
    return { cursor: { firstBatch, id: Long.ZERO, ns: `${database}.${collection}` } };
  }

  #update(database: string, collection: string, command: Document): Document {
    const upserted: Document[] = [];
    let matched = 0;
    for (const [index, { q, u, upsert }] of command["updates"].entries()) {
      const wasThere = this.data.find(database, collection, q._id) !== undefined;
      if (!this.data.update(database, collection, q._id, u, upsert === true)) continue;
      matched++;
      if (!wasThere) upserted.push({ index, _id: q._id });
    }
    return { n: matched, nModified: matched - upserted.length, ...(upserted.length > 0 ? { upserted } : {}) };
  }

  #delete(database: string, collection: string, command: Document): Document {
    const deletes = command["deletes"] as readonly Document[];
    return { n: deletes.filter(({ q }) => this.data.delete(database, collection, q._id)).length };
  }

  #configure(command: Document): Document {
    const { failCommands, errorCode, closeConnection, errorLabels } = command["data"];
    const { answer } = new CommandError(Number(errorCode ?? 0), "FailPoint", "asked for", errorLabels ?? []);
    const times = Number(command["mode"]?.times ?? 1);
    this.failNext(failCommands, closeConnection === true ? "close" : answer, times);
    return {};
  }
}

interface Session {
  scram: TwinScram | undefined;
  isKnown: boolean;
}
