import { ControlFault } from "../control/control-fault.ts";

export const BODY_BYTES_MAX = 64 * 1024;
const DEPTH_MAX = 32;
const KEYS_MAX = 1000;
/** Names that reach a prototype when an object with them is copied. */
const FORBIDDEN_NAMES: readonly string[] = ["__proto__", "constructor", "prototype"];

/**
 * The JSON object of a request, within bounds; no body is an empty one.
 * @throws ControlFault SerializationException
 */
export function parseJsonBody(body: Buffer): Readonly<Record<string, unknown>> {
  if (body.length === 0) return {};
  const value = parse(body);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw serialization("Start of structure expected.");
  }
  checkBounds(value);
  return Object.fromEntries(Object.entries(value));
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw serialization("Could not parse request body into json.");
  }
}

/** Walks with a stack of its own: the depth is what it looks for. */
function checkBounds(root: object): void {
  const pending: { readonly value: object; readonly depth: number }[] = [{ value: root, depth: 1 }];
  let keys = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next;
    if (depth > DEPTH_MAX) throw serialization(`The request body is nested more than ${DEPTH_MAX} deep.`);
    for (const [name, member] of Object.entries(value)) {
      keys += 1;
      if (keys > KEYS_MAX) throw serialization(`The request body has more than ${KEYS_MAX} members.`);
      if (FORBIDDEN_NAMES.includes(name)) throw serialization(`The member name ${name} is not allowed.`);
      if (typeof member === "object" && member !== null) pending.push({ value: member, depth: depth + 1 });
    }
  }
}

function serialization(message: string): ControlFault {
  return new ControlFault("SerializationException", message);
}
