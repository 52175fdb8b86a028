import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface WitnessedEvent {
  readonly records: Readonly<
    Record<string, readonly { readonly offset: number; readonly key: string; readonly value: string }[]>
  >;
}

/** What the function answers to an event: nothing is success. */
export type Verdict = "succeed" | "fail";

interface SeenRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** Counts the records of its key from 0. */
  readonly ordinal: number;
}

/**
 * An HTTP function over a topic whose records are `<ordinal of the key>/…`. It knows what it answered, so it knows what
 * may come again and what must not be missing.
 */
export class KafkaWitness {
  /** What broke, in sentences. */
  readonly breaches: string[] = [];
  /** Successful deliveries, repeats counted. */
  deliveries = 0;
  failures = 0;
  invocations = 0;
  /** Invocations that are being answered. */
  running = 0;
  readonly #verdict: (event: WitnessedEvent) => Verdict | Promise<Verdict>;
  /** Of each key: how many succeeded, all ordinals below. */
  readonly #succeeded = new Map<string, number>();
  /** Of every record that succeeded. */
  readonly #records = new Set<string>();
  /** Offsets of each partition that succeeded. */
  readonly #offsets = new Map<number, Set<number>>();
  readonly #server;

  private constructor(verdict: (event: WitnessedEvent) => Verdict | Promise<Verdict>) {
    this.#verdict = verdict;
    this.#server = createServer((request, response) => this.#take(request, response));
  }

  static async start(
    verdict: (event: WitnessedEvent) => Verdict | Promise<Verdict> = () => "succeed",
  ): Promise<KafkaWitness> {
    const witness = new KafkaWitness(verdict);
    await new Promise<void>((resolve) => witness.#server.listen(0, "127.0.0.1", resolve));
    return witness;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  get distinct(): number {
    return this.#records.size;
  }

  get repeated(): number {
    return this.deliveries - this.distinct;
  }

  succeededOf(key: string): number {
    return this.#succeeded.get(key) ?? 0;
  }

  /** Offsets of a partition that succeeded, in no order. */
  offsetsOf(partition: number): Iterable<number> {
    return this.#offsets.get(partition) ?? [];
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void this.#answer(JSON.parse(Buffer.concat(chunks).toString()), response));
  }

  async #answer(event: WitnessedEvent, response: ServerResponse): Promise<void> {
    const records = recordsOf(event);
    this.invocations++;
    this.running++;
    this.#checkOrder(records);
    const verdict = await this.#verdict(event);
    this.running--;
    if (verdict === "fail") {
      this.failures++;
      response.writeHead(200, { "X-Amz-Function-Error": "Unhandled" }).end('{"errorMessage":"by chance"}');
      return;
    }
    for (const record of records) this.#succeed(record);
    response.end();
  }

  /** An attempt starts only when all earlier records of its keys have succeeded; a repeat may start at any of those. */
  #checkOrder(records: readonly SeenRecord[]): void {
    const next = new Map<string, number>();
    for (const { key, ordinal } of records) {
      const expected = next.get(key);
      const isInOrder = expected === undefined ? ordinal <= this.succeededOf(key) : ordinal === expected;
      if (!isInOrder) {
        this.breaches.push(`${key}/${ordinal} came when ${expected ?? this.succeededOf(key)} was due`);
      }
      next.set(key, ordinal + 1);
    }
  }

  #succeed({ partition, offset, key, ordinal }: SeenRecord): void {
    let offsets = this.#offsets.get(partition);
    if (offsets === undefined) {
      offsets = new Set();
      this.#offsets.set(partition, offsets);
    }
    this.deliveries++;
    offsets.add(offset);
    // Offsets come twice where a topic was made anew or a log went back.
    this.#records.add(`${key}/${ordinal}`);
    if (ordinal === this.succeededOf(key)) this.#succeeded.set(key, ordinal + 1);
  }
}

function recordsOf({ records }: WitnessedEvent): SeenRecord[] {
  return Object.entries(records).flatMap(([shardId, list]) =>
    list.map(({ offset, key, value }) => ({
      partition: Number(shardId.slice(shardId.lastIndexOf("-") + 1)),
      offset,
      key: Buffer.from(key, "base64").toString(),
      ordinal: Number(Buffer.from(value.slice(0, 24), "base64").toString().split("/", 1)[0]),
    })),
  );
}
