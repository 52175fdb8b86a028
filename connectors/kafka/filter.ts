import { isUtf8 } from "node:buffer";
import { JsonTooDeep, parseExactJson } from "../../src/model/exact-json.ts";
import type { DataForm, FilterDocument } from "../../src/ports/stream-source.ts";
import type { KafkaRecord } from "./record.ts";

/**
 * What a filter pattern sees: the event's element with `value` and `key` read (filters §2; AWS documents `value`, and
 * of old both). An object or list of JSON is itself, other UTF-8 a text, anything else base64; a missing one is null.
 */
export function kafkaFilterDocument(record: KafkaRecord): FilterDocument {
  const { partition, position, timestampMs, timestampType } = record;
  const key = readData(record.readableKey ?? record.keyBytes);
  const value = readData(record.readableValue ?? record.value);
  const document = {
    topic: partition.topic,
    partition: partition.partition,
    offset: Number(position),
    // Patterns compare what JavaScript's numbers hold.
    timestamp: Number(timestampMs),
    timestampType,
    key: key.data,
    value: value.data,
    headers: JSON.parse(record.headersJson) as unknown,
  };
  return {
    document,
    isDataJson: value.form === "json",
    dataForms: { key: key.form, value: value.form },
  };
}

function readData(bytes: Buffer | null): { readonly form: DataForm; readonly data: unknown } {
  if (bytes === null) return { form: "absent", data: null };
  if (!isUtf8(bytes)) return { form: "binary", data: bytes.toString("base64") };
  const text = bytes.toString();
  const json = parseJsonObject(text);
  return json === undefined ? { form: "text", data: text } : { form: "json", data: json };
}

/** Only objects count as JSON data; scalars do not (filters §3). */
function parseJsonObject(text: string): object | undefined {
  try {
    const value = parseExactJson(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch (error) {
    // Taken for a text it would be dropped by patterns, and nobody would be told.
    if (error instanceof JsonTooDeep) throw error;
    return undefined;
  }
}
