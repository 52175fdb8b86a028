import type { OutcomeDocument } from "../../control/embedded/record-text.ts";
import { type ApiClient, isObject, type JsonObject, jsonContent } from "../api-client.ts";
import type { SourceDesk, SourceKind } from "./source-desk.ts";

/** Bytes of one request: below what the API takes, and little enough that progress is seen. */
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
const REQUEST_ITEMS_MAX = 1_000;

/** Over the API of a process that runs. */
export function createApiDesk(client: ApiClient, kind: SourceKind): SourceDesk {
  const path = `/millrace/v1/${kind}s`;
  const member = kind === "stream" ? "records" : "messages";
  const itemsPath = (name: string) => `${path}/${encodeURIComponent(name)}/${member}`;
  const missing = `See millrace ${kind}s list; for a file that this process does not know give --file PATH.`;
  return {
    place: "the API",
    list: async () => objectsOf(await client.request("GET", path), `${kind}s`),
    create: (members) => client.request("POST", path, { content: jsonContent(members) }),
    async put(name, items) {
      const answers: OutcomeDocument[] = [];
      for (const part of parts(items)) {
        const answer = await client.request("POST", itemsPath(name), {
          content: { type: "application/x-ndjson", text: `${part.join("\n")}\n` },
          isAnswer: (each) => Array.isArray(each[member]),
          missing,
        });
        answers.push(...(objectsOf(answer, member) as readonly OutcomeDocument[]));
      }
      return answers;
    },
    async peek(name, { count, shardId, which }) {
      const query = { count: String(count), shardId, which };
      return objectsOf(await client.request("GET", itemsPath(name), { query, missing }), member);
    },
    async purge(name) {
      const { purged } = await client.request("DELETE", itemsPath(name), { missing });
      return typeof purged === "number" ? purged : 0;
    },
    close: async () => undefined,
  };
}

function objectsOf(answer: JsonObject, member: string): readonly JsonObject[] {
  const found: unknown = answer[member];
  return Array.isArray(found) ? found.filter(isObject) : [];
}

function* parts(items: readonly string[]): Generator<readonly string[]> {
  let part: string[] = [];
  let bytes = 0;
  for (const item of items) {
    const itemBytes = Buffer.byteLength(item) + 1;
    if (part.length > 0 && (bytes + itemBytes > REQUEST_BYTES_MAX || part.length === REQUEST_ITEMS_MAX)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(item);
    bytes += itemBytes;
  }
  if (part.length > 0) yield part;
}
