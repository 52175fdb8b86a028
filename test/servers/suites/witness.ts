import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RecordPlace } from "./unsettled-places.ts";

/** A record of a run: `ordinal` counts the records of its key from 0. */
export interface WitnessedRecord {
  readonly key: string;
  readonly ordinal: number;
}

interface EventRecord {
  readonly eventID: string;
  readonly kinesis: { readonly partitionKey: string; readonly sequenceNumber: string; readonly data: string };
}

/**
 * An HTTP function that fails at random, keeps the laws of delivery and says which of them was broken. It knows what it
 * answered, so it knows what may come again and what must not be missing.
 */
export class Witness {
  /** What broke, in sentences. */
  readonly breaches: string[] = [];
  /** Successful deliveries, repeats counted. */
  deliveries = 0;
  failures = 0;
  invocations = 0;
  /** Ordinals of each key that succeeded so far: all below this number. */
  readonly #succeeded = new Map<string, number>();
  readonly #places = new Map<string, RecordPlace>();
  readonly #random: () => number;
  readonly #failShare: number;
  readonly #server;

  private constructor(random: () => number, failShare: number) {
    this.#random = random;
    this.#failShare = failShare;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(random: () => number, failShare: number): Promise<Witness> {
    const witness = new Witness(random, failShare);
    await new Promise<void>((resolve) => witness.#server.listen(0, "127.0.0.1", resolve));
    return witness;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Records that succeeded at least once. */
  get distinct(): number {
    return this.#places.size;
  }

  /** Of every record that succeeded. */
  places(): Iterable<RecordPlace> {
    return this.#places.values();
  }

  succeededOf(key: string): number {
    return this.#succeeded.get(key) ?? 0;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { Records } = JSON.parse(Buffer.concat(chunks).toString()) as { Records: readonly EventRecord[] };
      this.invocations++;
      this.#checkOrder(Records);
      if (this.#random() < this.#failShare) {
        this.failures++;
        response.writeHead(200, { "X-Amz-Function-Error": "Unhandled" }).end('{"errorMessage":"by chance"}');
        return;
      }
      for (const record of Records) this.#succeed(record);
      response.end();
    });
  }

  /** An attempt starts only when all earlier records of its keys have succeeded; a repeat may start at any of those. */
  #checkOrder(records: readonly EventRecord[]): void {
    const next = new Map<string, number>();
    for (const record of records) {
      const { key, ordinal } = read(record);
      const expected = next.get(key);
      const isInOrder = expected === undefined ? ordinal <= this.succeededOf(key) : ordinal === expected;
      if (!isInOrder) {
        this.breaches.push(`${key}/${ordinal} came when ${expected ?? this.succeededOf(key)} was due`);
      }
      next.set(key, ordinal + 1);
    }
  }

  #succeed(record: EventRecord): void {
    const { key, ordinal } = read(record);
    this.deliveries++;
    const shardId = record.eventID.split(":")[0] ?? "";
    this.#places.set(`${key}/${ordinal}`, { shardId, position: record.kinesis.sequenceNumber });
    if (ordinal === this.succeededOf(key)) this.#succeeded.set(key, ordinal + 1);
  }
}

function read({ kinesis }: EventRecord): WitnessedRecord {
  const ordinal = Number(Buffer.from(kinesis.data, "base64").toString().split("/", 1)[0]);
  return { key: kinesis.partitionKey, ordinal };
}
