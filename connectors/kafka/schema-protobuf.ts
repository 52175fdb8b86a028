import type protobufjs from "protobufjs";
import type { Namespace, Root, Type } from "protobufjs";
import type { RegistrySchema } from "./registry-schema.ts";
import { SchemaProblem } from "./schema-frame.ts";

interface ProtobufValue {
  readonly value: unknown;
  /** The message without its index. */
  readonly source: Buffer;
}

const INDEXES_MAX = 32;
/**
 * Protobuf's own JSON (whole numbers of 64 bits are texts, enums names, bytes base64, times ISO), of the library's part
 * for it.
 */
export type ToProtoJson = (type: Type, message: object) => unknown;

/**
 * Reads messages of a `.proto` text, whose first message is meant unless the index before the data says another.
 * @throws SchemaProblem, or an error of the library.
 */
export function protobufDecoder(
  protobuf: typeof protobufjs,
  { text, references }: RegistrySchema,
  isGlue: boolean,
  toJson: ToProtoJson,
): (data: Buffer) => ProtobufValue {
  const root = new protobuf.Root();
  const given = new Set(references.map(({ name }) => name));
  for (const { name, text: each } of references) addFile(protobuf, root, each, given, name);
  addFile(protobuf, root, text, given, "schema.proto");
  root.resolveAll();
  // Read alone, so that only its own messages are counted.
  const file = protobuf.parse(text, new protobuf.Root());
  const messages = messagesIn(protobuf, placeOf(file.root, file.package));
  const sorted = isGlue ? glueNames(protobuf, messages) : [];
  return (data) => {
    const { path, source } = isGlue ? glueIndex(data) : confluentIndexes(data);
    const name = isGlue ? sorted[path[0] ?? 0] : nameAt(protobuf, messages, path);
    const type = name === undefined ? null : root.lookup(name);
    if (!(type instanceof protobuf.Type)) throw new SchemaProblem("it is a message that its schema has not");
    return { value: toJson(type, type.decode(source)), source };
  };
}

/** Files of Google's own well-known types come with the library; all others come from the registry. */
function addFile(
  protobuf: typeof protobufjs,
  root: Root,
  text: string,
  given: ReadonlySet<string>,
  name: string,
): void {
  const { imports = [], weakImports = [] } = protobuf.parse(text, root, { keepCase: false });
  for (const wanted of [...imports, ...weakImports]) {
    if (given.has(wanted)) continue;
    const known = protobuf.common.get(wanted);
    if (known === null || known === undefined)
      throw new SchemaProblem(
        `its schema imports a file that is none of its references (in ${name.slice(0, 80)})`,
      );
    root.addJSON(known.nested ?? {});
  }
}

function placeOf(root: Root, name: string | undefined): Namespace {
  const found = name === undefined || name === "" ? root : root.lookup(name);
  if (found === null || !("nestedArray" in found)) throw new SchemaProblem("its schema has no message");
  return found as Namespace;
}

function messagesIn(protobuf: typeof protobufjs, place: Namespace): readonly Type[] {
  return place.nestedArray.filter((each): each is Type => each instanceof protobuf.Type);
}

function nameAt(
  protobuf: typeof protobufjs,
  messages: readonly Type[],
  [first = 0, ...rest]: readonly number[],
): string | undefined {
  let found = messages[first];
  for (const index of rest) found = found === undefined ? undefined : messagesIn(protobuf, found)[index];
  return found?.fullName;
}

/** All messages of the file by their full names, those that stand for the entries of maps among them. */
function glueNames(protobuf: typeof protobufjs, messages: readonly Type[]): readonly string[] {
  const names: string[] = [];
  const add = (type: Type): void => {
    names.push(type.fullName);
    for (const { name } of type.fieldsArray.filter((field) => field.map))
      names.push(`${type.fullName}.${name.charAt(0).toUpperCase()}${name.slice(1)}Entry`);
    for (const inner of messagesIn(protobuf, type)) add(inner);
  };
  for (const message of messages) add(message);
  return names.sort();
}

/** Confluent's list of indexes: a count and so many numbers; a bare 0 stands for the first message. */
function confluentIndexes(data: Buffer): { readonly path: readonly number[]; readonly source: Buffer } {
  let at = 0;
  const next = (): number => {
    const read = varint(data, at);
    at = read.at;
    return read.value % 2 === 0 ? read.value / 2 : -(read.value + 1) / 2;
  };
  const count = next();
  if (count < 0 || count > INDEXES_MAX) throw new SchemaProblem(`it names a message ${count} levels deep`);
  const path = count === 0 ? [0] : Array.from({ length: count }, next);
  return { path, source: data.subarray(at) };
}

/** Glue's one number: the message's place among all of the file. */
function glueIndex(data: Buffer): { readonly path: readonly number[]; readonly source: Buffer } {
  const { value, at } = varint(data, 0);
  return { path: [value], source: data.subarray(at) };
}

function varint(data: Buffer, from: number): { readonly value: number; readonly at: number } {
  let value = 0;
  for (let at = from; at < from + 5; at++) {
    const byte = data[at];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * (at - from));
    if (byte < 0x80) return { value, at: at + 1 };
  }
  throw new SchemaProblem("it does not say which message of its schema it is");
}
