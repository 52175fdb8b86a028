import type { Binary, Code, DBRef, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from "mongodb";
import { quoteJson } from "../../src/model/json-bytes.ts";

/**
 * A BSON value as MongoDB's Extended JSON, relaxed (brokers §4.1): what JSON can say is said plainly, all else by a
 * member with a dollar sign. In the place of the driver's own, which rounds integers beyond 2⁵³ and writes the double
 * 1.0 as the integer 1: readers that tell integers from floats by their text get the type that was stored.
 *
 * The value is read without promotion: numbers are `Double`, `Int32` and `Long`.
 */
export function extendedJson(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "object") return objectJson(value);
  switch (typeof value) {
    case "string":
      return quoteJson(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      return doubleJson(value);
    case "bigint":
      return String(value);
    default:
      return '{"$undefined":true}';
  }
}

function objectJson(value: object): string {
  if (Array.isArray(value)) return `[${value.map(extendedJson).join(",")}]`;
  if (value instanceof Date) return dateJson(value);
  const type = bsonTypeOf(value);
  return type === undefined ? documentJson(value) : typedJson(type, value);
}

export function documentJson(document: object, names: readonly string[] = Object.keys(document)): string {
  const members = names.map((name) => `${quoteJson(name)}:${extendedJson(Reflect.get(document, name))}`);
  return `{${members.join(",")}}`;
}

/** Types of BSON bear their names on their prototypes: a member that a document has of this name is none. */
function bsonTypeOf(value: object): string | undefined {
  if (Object.hasOwn(value, "_bsontype") || !("_bsontype" in value)) return undefined;
  return String(value._bsontype);
}

function typedJson(type: string, value: object): string {
  switch (type) {
    case "Int32":
      return String((value as Int32).value);
    case "Double":
      return doubleJson((value as Double).value);
    case "Long":
      return (value as Long).toString();
    case "ObjectId":
      return `{"$oid":"${(value as ObjectId).toHexString()}"}`;
    case "Timestamp": {
      const { t, i } = value as Timestamp;
      return `{"$timestamp":{"t":${t},"i":${i}}}`;
    }
    case "Decimal128":
      return `{"$numberDecimal":"${(value as Decimal128).toString()}"}`;
    case "Binary": {
      const binary = value as Binary;
      const subType = binary.sub_type.toString(16).padStart(2, "0");
      return `{"$binary":{"base64":"${binary.toString("base64")}","subType":"${subType}"}}`;
    }
    case "BSONRegExp": {
      const { pattern, options } = value as { readonly pattern: string; readonly options: string };
      return `{"$regularExpression":{"pattern":${quoteJson(pattern)},"options":${quoteJson(options)}}}`;
    }
    case "Code":
      return codeJson(value as Code);
    case "DBRef":
      return referenceJson(value as DBRef);
    case "BSONSymbol":
      return `{"$symbol":${quoteJson(String(value))}}`;
    case "MinKey":
      return '{"$minKey":1}';
    case "MaxKey":
      return '{"$maxKey":1}';
    default:
      return documentJson(value);
  }
}

function codeJson({ code, scope }: Code): string {
  const front = `{"$code":${quoteJson(code)}`;
  return scope === null || scope === undefined ? `${front}}` : `${front},"$scope":${extendedJson(scope)}}`;
}

function referenceJson({ collection, oid, db, fields }: DBRef): string {
  const place = `"$ref":${quoteJson(collection)},"$id":${extendedJson(oid)}`;
  const database = db === undefined ? "" : `,"$db":${quoteJson(db)}`;
  const rest = Object.entries(fields).map(([name, member]) => `,${quoteJson(name)}:${extendedJson(member)}`);
  return `{${place}${database}${rest.join("")}}`;
}

function doubleJson(value: number): string {
  if (!Number.isFinite(value)) return `{"$numberDouble":"${value}"}`;
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Years that the text form has without a sign. */
const YEAR_10000_MS = Date.UTC(10_000, 0, 1);

function dateJson(date: Date): string {
  const ms = date.getTime();
  // Beyond what a date of JavaScript holds: the driver does not tell which it was.
  if (Number.isNaN(ms)) return '{"$date":null}';
  if (ms < 0 || ms >= YEAR_10000_MS) return `{"$date":{"$numberLong":"${ms}"}}`;
  return `{"$date":"${date.toISOString().replace(".000Z", "Z")}"}`;
}
