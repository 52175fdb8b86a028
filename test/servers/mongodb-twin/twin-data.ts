import { BSON, type Document } from "mongodb";
import type { TwinLog } from "./twin-log.ts";

/** The documents of a set, and what writes to them tell its log. */
export class TwinData {
  readonly #log: TwinLog;
  /** By database, collection and the `_id` as Extended JSON. */
  readonly #databases = new Map<string, Map<string, Map<string, Document>>>();

  constructor(log: TwinLog) {
    this.#log = log;
  }

  has(database: string): boolean {
    return this.#databases.has(database);
  }

  get names(): readonly string[] {
    return [...this.#databases.keys()];
  }

  find(database: string, collection: string, id: unknown): Document | undefined {
    return this.#databases.get(database)?.get(collection)?.get(keyOf(id));
  }

  insert(database: string, collection: string, document: Document): void {
    const id = document["_id"];
    this.#collection(database, collection).set(keyOf(id), document);
    this.#log.append({ database, collection, operationType: "insert", id, fullDocument: document });
  }

  /** Of one document, by its `_id`. True: there was one, or one was made. */
  update(database: string, collection: string, id: unknown, change: Document, upsert: boolean): boolean {
    const before = this.find(database, collection, id);
    const set: unknown = change["$set"];
    if (before === undefined && !upsert) return false;
    const isUpdate = typeof set === "object" && set !== null;
    const after = isUpdate ? { _id: id, ...before, ...set } : { _id: id, ...change };
    if (before === undefined) {
      this.insert(database, collection, after);
      return true;
    }
    this.#collection(database, collection).set(keyOf(id), after);
    this.#log.append(
      isUpdate
        ? {
            ...{ database, collection, operationType: "update", id },
            updateDescription: { updatedFields: set, removedFields: [], truncatedArrays: [] },
          }
        : { database, collection, operationType: "replace", id, fullDocument: after },
    );
    return true;
  }

  delete(database: string, collection: string, id: unknown): boolean {
    const isThere = this.#databases.get(database)?.get(collection)?.delete(keyOf(id)) ?? false;
    if (isThere) this.#log.append({ database, collection, operationType: "delete", id });
    return isThere;
  }

  drop(database: string, collection: string): boolean {
    if (this.#databases.get(database)?.delete(collection) !== true) return false;
    this.#log.append({ database, collection, operationType: "drop" });
    this.#log.append({ database, collection, operationType: "invalidate" });
    return true;
  }

  dropDatabase(database: string): void {
    const collections = [...(this.#databases.get(database)?.keys() ?? [])];
    for (const collection of collections) this.drop(database, collection);
    if (!this.#databases.delete(database)) return;
    this.#log.append({ database, operationType: "dropDatabase" });
    this.#log.append({ database, operationType: "invalidate" });
  }

  make(database: string, collection: string): void {
    this.#collection(database, collection);
  }

  #collection(database: string, collection: string): Map<string, Document> {
    const collections = this.#databases.get(database) ?? new Map<string, Map<string, Document>>();
    this.#databases.set(database, collections);
    const documents = collections.get(collection) ?? new Map<string, Document>();
    collections.set(collection, documents);
    return documents;
  }
}

function keyOf(id: unknown): string {
  return BSON.EJSON.stringify({ id }, { relaxed: false });
}
