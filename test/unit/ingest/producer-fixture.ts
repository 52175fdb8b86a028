import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { CONNECTORS } from "../../../connectors/registry.ts";
import type { Credentials } from "../../../src/api/access-credentials.ts";
import { createEmbeddedBooks, type EmbeddedBooks } from "../../../src/control/embedded/embedded-book.ts";
import { startProducerServer } from "../../../src/ingest/producer-server.ts";
import { createSystemClock } from "../../../src/system/clock.ts";
import { folderWith } from "../manifests/manifest-samples.ts";

export const PLACE = { region: "eu-west-1", account: "123456789012" };

export interface ServedProducers {
  readonly url: string;
  readonly books: EmbeddedBooks;
  /** Data of a stream's records, or bodies of a queue's messages. */
  held(name: string): Promise<readonly string[]>;
  /** One call as somebody without an SDK makes it. */
  post(target: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<WireAnswer>;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Producers served over a file of their own, to whoever asks unless there are credentials. */
export async function servedProducers(t: TestContext, credentials?: Credentials): Promise<ServedProducers> {
  const books = createEmbeddedBooks(CONNECTORS, {
    endpoints: { LOCAL_FILE: [join(folderWith(t, {}), "sources.db")] },
    place: PLACE,
    mappings: async () => [],
  });
  const server = await startProducerServer({
    address: { host: "127.0.0.1", port: 0 },
    embedded: () => books,
    place: PLACE,
    credentials,
    hosts: [],
    clock: createSystemClock(),
    requestId: randomUUID,
  });
  t.after(async () => {
    await server.close();
    await books.close();
  });
  return {
    url: server.url,
    books,
    async held(name) {
      const queue = await books.queues.whoHas(name);
      if (queue !== undefined) return (await queue.peek(name, 100)).map(({ body }) => body);
      const stream = await books.streams.having(name);
      const records = await stream.peek(name, { recordsMax: 100, which: "oldest" });
      return records.map(({ data }) => Buffer.from(data).toString());
    },
    async post(target, body, headers = {}) {
      const response = await fetch(server.url, {
        method: "POST",
        headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": target, ...headers },
        body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === "" ? {} : JSON.parse(text),
      };
    },
  };
}
