import { JsonTooDeep } from "../../src/model/exact-json.ts";
import type { StreamRecord } from "../../src/model/record.ts";
import type { ShardRead, ShardReader } from "../../src/ports/stream-source.ts";
import { abortable, throwIfAborted } from "./fault.ts";
import { type KafkaRecord, type ReadParts, withReadParts } from "./record.ts";
import type { SchemaBook } from "./schema-book.ts";
import { readFrame, SchemaProblem } from "./schema-frame.ts";

export type SchemaAttribute = "KEY" | "VALUE";

/** What the records of a mapping are read by (kafka §8). */
export interface RecordSchemas {
  readonly book: SchemaBook;
  /** `JSON`: the event has base64 of JSON. `SOURCE`: what was written, without the registry's frame. */
  readonly format: "JSON" | "SOURCE";
  readonly attributes: readonly SchemaAttribute[];
}

/**
 * Reads records by their schemas, one after another. While the registry does not answer, what was read is held here and
 * comes with a later read, in its order: nothing is passed over. What is not of its schema is given up alone.
 */
export class SchemaReader implements ShardReader {
  readonly #inner: ShardReader;
  readonly #schemas: RecordSchemas;
  /** What one read has brought and was not given yet. */
  #held: { readonly read: ShardRead; readonly records: StreamRecord[] } | undefined;

  constructor(inner: ShardReader, schemas: RecordSchemas) {
    this.#inner = inner;
    this.#schemas = schemas;
  }

  async read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead> {
    throwIfAborted(signal);
    if (this.#held === undefined) {
      const read = await this.#inner.read(recordsMax, bytesMax, signal);
      if (read.records.length === 0) return read;
      this.#held = { read, records: [...read.records] };
    }
    const { read, records } = this.#held;
    const given: KafkaRecord[] = [];
    let bytes = 0;
    for (const record of records) {
      if (given.length >= recordsMax) break;
      let decoded: KafkaRecord;
      try {
        decoded = await this.#decode(record as KafkaRecord, signal);
      } catch (error) {
        throwIfAborted(signal);
        // What stands before it goes first; the next read asks the registry again.
        // plant: records-that-wait-for-their-schema-are-passed-over
        if (given.length === 0) throw error;
        break;
      }
      if (given.length > 0 && bytes + decoded.bytes > bytesMax) break;
      bytes += decoded.bytes;
      given.push(decoded);
    }
    records.splice(0, given.length);
    if (records.length === 0) {
      this.#held = undefined;
      return { ...read, records: given };
    }
    const { lookedTo: _, trimmed, offsetLag, ...rest } = read;
    this.#held = { read: { ...read, trimmed: false }, records };
    return {
      ...rest,
      ...{
        records: given,
        endOfShard: false,
        trimmed,
        lagMs: Math.max(1, read.lagMs ?? 1),
        readAgainAfterMs: 0,
      },
      ...(offsetLag === undefined ? {} : { offsetLag: offsetLag + records.length }),
    };
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  async #decode(record: KafkaRecord, signal: AbortSignal): Promise<KafkaRecord> {
    if (record.damage !== undefined) return record;
    const { attributes, format } = this.#schemas;
    let parts: ReadParts = { keyBytes: record.keyBytes, value: record.value };
    for (const attribute of attributes) {
      const bytes = attribute === "KEY" ? record.keyBytes : record.value;
      // A tombstone has no value, and no schema.
      if (bytes === null) continue;
      try {
        const { shown, readable, metadata } = await this.#part(bytes, signal);
        const isReadable = format === "SOURCE";
        parts =
          attribute === "KEY"
            ? {
                ...parts,
                keyBytes: shown,
                keySchema: metadata,
                ...(isReadable ? { readableKey: readable } : {}),
              }
            : {
                ...parts,
                value: shown,
                valueSchema: metadata,
                ...(isReadable ? { readableValue: readable } : {}),
              };
      } catch (error) {
        if (!(error instanceof SchemaProblem) && !(error instanceof JsonTooDeep)) throw error;
        return { ...record, damage: `its ${attribute.toLowerCase()} cannot be read: ${error.message}` };
      }
    }
    return withReadParts(record, parts);
  }

  async #part(bytes: Buffer, signal: AbortSignal) {
    const { book, format } = this.#schemas;
    const { schemaId, data } = readFrame(book.kind, bytes);
    const known = await abortable(book.find(schemaId), signal);
    if (known.kind === "problem") throw new SchemaProblem(known.problem);
    const { json, source } = known.decode(data);
    const metadata = JSON.stringify({ dataFormat: known.dataFormat, schemaId });
    return { shown: format === "JSON" ? json : source, readable: json, metadata };
  }
}
