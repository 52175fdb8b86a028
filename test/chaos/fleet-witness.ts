import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Call } from "./evidence.ts";
import type { Repeat } from "./judge.ts";

interface EventRecord {
  readonly eventID: string;
  readonly kinesis: { readonly partitionKey: string; readonly data: string };
}

export interface WitnessOptions {
  /** The function's time-out in the manifests: with the deadline that is sent it tells when a call was started. */
  readonly functionTimeoutMs: number;
  readonly random: () => number;
  readonly failShare: number;
  readonly answerMs: { readonly min: number; readonly max: number };
}

/** Breaches beyond these are counted, and not kept. */
const BREACHES_KEPT = 20;

/**
 * An HTTP function for many processes: a life calls `/LIFE/SKEW_MS`, by how much its wall clock is wrong. It fails at
 * random, takes its time, keeps the laws of delivery, and notes who called when for which shard.
 */
export class FleetWitness {
  readonly calls: Call[] = [];
  readonly repeats: Repeat[] = [];
  readonly breaches: string[] = [];
  breachCount = 0;
  failures = 0;
  /** Records that succeeded at least once. */
  distinct = 0;
  readonly #options: WitnessOptions;
  readonly #keys = new Map<string, { readonly lastCalls: Call[] }>();
  readonly #shardIds = new Set<string>();
  readonly #server;

  private constructor(options: WitnessOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => this.#receive(request, response));
    // Processes keep their connections until they end.
    this.#server.keepAliveTimeout = 0;
  }

  static async start(options: WitnessOptions): Promise<FleetWitness> {
    const witness = new FleetWitness(options);
    await new Promise<void>((resolve) => witness.#server.listen(0, "127.0.0.1", resolve));
    return witness;
  }

  urlOf(life: number, skewMs: number): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${life}/${skewMs}`;
  }

  /** Ordinals of a key that succeeded so far: all below this number. */
  succeededOf(key: string): number {
    return this.#keys.get(key)?.lastCalls.length ?? 0;
  }

  /** Shards of which a record has succeeded. */
  get shards(): number {
    return this.#shardIds.size;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const [life = 0, skewMs = 0] = request.url?.slice(1).split("/").map(Number) ?? [];
    const deadlineMs = Number(request.headers["lambda-runtime-deadline-ms"]);
    const startedMs = deadlineMs - this.#options.functionTimeoutMs - skewMs;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { Records } = JSON.parse(Buffer.concat(chunks).toString()) as { Records: readonly EventRecord[] };
      this.#checkOrder(Records);
      const { random, answerMs } = this.#options;
      const waitMs = answerMs.min + random() * (answerMs.max - answerMs.min);
      setTimeout(() => this.#answer(life, startedMs, Records, response), waitMs);
    });
  }

  #answer(life: number, startedMs: number, records: readonly EventRecord[], response: ServerResponse): void {
    const shardId = records[0]?.eventID.split(":")[0] ?? "";
    const call = { life, shardId, startedMs, endedMs: Date.now() };
    this.calls.push(call);
    if (this.#options.random() < this.#options.failShare) {
      this.failures++;
      response.writeHead(200, { "X-Amz-Function-Error": "Unhandled" }).end('{"errorMessage":"by chance"}');
      return;
    }
    this.#shardIds.add(shardId);
    for (const record of records) this.#succeed(record, call);
    response.end();
  }

  /** An attempt starts only when all earlier records of its keys have succeeded; a repeat may start at any of those. */
  #checkOrder(records: readonly EventRecord[]): void {
    const next = new Map<string, number>();
    for (const record of records) {
      const { key, ordinal } = read(record);
      const due = next.get(key) ?? this.succeededOf(key);
      const isInOrder = next.has(key) ? ordinal === due : ordinal <= due;
      if (!isInOrder) this.#breach(`${key}/${ordinal} came when ${due} was due`);
      next.set(key, ordinal + 1);
    }
  }

  #succeed(record: EventRecord, call: Call): void {
    const { key, ordinal } = read(record);
    const known = this.#keys.get(key) ?? { lastCalls: [] };
    this.#keys.set(key, known);
    const before = known.lastCalls[ordinal];
    if (before !== undefined)
      this.repeats.push({ position: record.eventID.split(":")[1] ?? "", before, after: call });
    else if (ordinal === known.lastCalls.length) this.distinct++;
    // Out of order: told already, and not to be counted as what is missing before it.
    if (ordinal <= known.lastCalls.length) known.lastCalls[ordinal] = call;
  }

  #breach(text: string): void {
    this.breachCount++;
    if (this.breaches.length < BREACHES_KEPT) this.breaches.push(text);
  }
}

function read({ kinesis }: EventRecord): { readonly key: string; readonly ordinal: number } {
  const ordinal = Number(Buffer.from(kinesis.data, "base64").toString().split("/", 1)[0]);
  return { key: kinesis.partitionKey, ordinal };
}
