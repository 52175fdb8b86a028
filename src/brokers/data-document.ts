import { isUtf8 } from "node:buffer";
import { JsonTooDeep, parseExactJson } from "../model/exact-json.ts";
import type { DataForm, FilterDocument } from "../ports/stream-source.ts";

/**
 * What filters see of an element whose member `data` is base64: an object or list of JSON is itself, other UTF-8 a
 * text, anything else base64 (filters §2, §3).
 */
export function dataDocumentOf(element: Buffer): FilterDocument {
  const record = JSON.parse(element.toString()) as { readonly data: string };
  const { form, data } = readData(record.data);
  return { document: { ...record, data }, isDataJson: form === "json", dataForms: { data: form } };
}

function readData(base64: string): { readonly form: DataForm; readonly data: unknown } {
  const bytes = Buffer.from(base64, "base64");
  if (!isUtf8(bytes)) return { form: "binary", data: base64 };
  const text = bytes.toString();
  try {
    const value: unknown = parseExactJson(text);
    if (typeof value === "object" && value !== null) return { form: "json", data: value };
  } catch (error) {
    // Taken for a text it would be dropped by patterns, and nobody would be told.
    if (error instanceof JsonTooDeep) throw error;
  }
  return { form: "text", data: text };
}
