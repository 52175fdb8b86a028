import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** Every so many events the function fails, and its event is given up. */
export const FAILS_EVERY = 50;
const TOOK_MS_MAX = 20;

/** A function and its destination, which note what reaches them. */
export class EventWitness {
  url = "";
  /** How often the event of each number ran. */
  readonly runs = new Map<number, number>();
  /** How often each record was taken, by its id. */
  readonly records = new Map<string, number>();
  /** What records of failures said, by their id. */
  readonly failures = new Map<string, string>();
  /** When each event that was to succeed was answered last, as ISO time. */
  readonly answered = new Map<number, string>();
  readonly #server = createServer((request, response) => {
    void this.#take(request).then((status) => response.writeHead(status).end("null"));
  });

  static async start(): Promise<EventWitness> {
    const witness = new EventWitness();
    await new Promise<void>((resolve) => witness.#server.listen(0, "127.0.0.1", resolve));
    witness.url = `http://127.0.0.1:${(witness.#server.address() as AddressInfo).port}`;
    return witness;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #take(request: IncomingMessage): Promise<number> {
    let text = "";
    for await (const chunk of request) text += chunk;
    if (request.url === "/record") {
      const id = String(request.headers["millrace-failure-id"]);
      add(this.records, id);
      if (id.endsWith("/failure")) this.failures.set(id, text);
      return 200;
    }
    const { n } = JSON.parse(text) as { readonly n: number };
    add(this.runs, n);
    await new Promise((resolve) => setTimeout(resolve, (n * 7) % TOOK_MS_MAX));
    if (n % FAILS_EVERY === 0) return 500;
    this.answered.set(n, new Date().toISOString());
    return 200;
  }
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
