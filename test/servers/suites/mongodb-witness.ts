import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RecordPlace } from "./unsettled-places.ts";

/** A change of a run: `data` is `ORDINAL/…`, which counts the changes of its document from 0. */
interface Change {
  readonly event: {
    readonly _id: { readonly _data: string };
    readonly documentKey: { readonly _id: string };
    readonly fullDocument: { readonly data: string };
  };
}

/**
 * An HTTP function that fails at random and keeps the laws of delivery of documents' changes: the next change of a
 * document comes when those before have succeeded, and a repeat begins at any of those.
 */
export class ChangeWitness {
  readonly breaches: string[] = [];
  /** Successful deliveries, repeats counted. */
  deliveries = 0;
  failures = 0;
  readonly #succeeded = new Map<string, number>();
  readonly #places = new Map<string, RecordPlace>();
  readonly #shardId: string;
  readonly #fails: () => boolean;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  constructor(shardId: string, fails: () => boolean) {
    this.#shardId = shardId;
    this.#fails = fails;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Changes that succeeded at least once. */
  get distinct(): number {
    return this.#places.size;
  }

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
      const { events } = JSON.parse(Buffer.concat(chunks).toString()) as {
        readonly events: readonly Change[];
      };
      this.#checkOrder(events);
      if (this.#fails()) {
        this.failures++;
        response.writeHead(200, { "X-Amz-Function-Error": "Unhandled" }).end('{"errorMessage":"by chance"}');
        return;
      }
      for (const change of events) this.#succeed(change);
      response.end();
    });
  }

  #checkOrder(changes: readonly Change[]): void {
    const next = new Map<string, number>();
    for (const change of changes) {
      const { key, ordinal } = read(change);
      const expected = next.get(key);
      const isInOrder = expected === undefined ? ordinal <= this.succeededOf(key) : ordinal === expected;
      if (!isInOrder)
        this.breaches.push(`${key}/${ordinal} came when ${expected ?? this.succeededOf(key)} was due`);
      next.set(key, ordinal + 1);
    }
  }

  #succeed(change: Change): void {
    const { key, ordinal } = read(change);
    this.deliveries++;
    this.#places.set(`${key}/${ordinal}`, { shardId: this.#shardId, position: change.event._id._data });
    if (ordinal === this.succeededOf(key)) this.#succeeded.set(key, ordinal + 1);
  }
}

function read({ event }: Change): { readonly key: string; readonly ordinal: number } {
  return { key: event.documentKey._id, ordinal: Number(event.fullDocument.data.split("/", 1)[0]) };
}
