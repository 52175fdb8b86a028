/**
 * Which functions a chain of events has passed, and how often each: the part `Lineage=KEY:COUNT|KEY:COUNT` of
 * X-Ray's trace header. Clients of AWS pass the header on by themselves, so that the chain is known wherever it goes
 * (invocation §9.6).
 */
export type Lineage = string;

/** Executions of one function in a chain; AWS cuts at about so many. */
export const LOOP_EXECUTIONS_MAX = 16;
/** Functions of a chain that are told apart; the ones that were passed first are forgotten. */
const FUNCTIONS_MAX = 16;
const COUNT_MAX = 99_999;
const LINEAGE = /^[0-9a-f]{8}:\d{1,5}(?:\|[0-9a-f]{8}:\d{1,5}){0,15}$/;
const HEADER_CHARS_MAX = 1024;

/** The part of a trace header; `undefined`: it has none that we can read. */
export function lineageIn(header: string | undefined): Lineage | undefined {
  if (header === undefined || header.length > HEADER_CHARS_MAX) return undefined;
  for (const member of header.split(";")) {
    const [name = "", value = ""] = member.split("=", 2);
    if (name.trim().toLowerCase() === "lineage" && LINEAGE.test(value.trim())) return value.trim();
  }
  return undefined;
}

/** How often the chain has passed this function. */
export function passes(lineage: Lineage | undefined, functionArn: string): number {
  return entriesOf(lineage).get(keyOf(functionArn)) ?? 0;
}

/** The chain behind one more execution of the function. */
export function passedOnce(lineage: Lineage | undefined, functionArn: string): Lineage {
  const key = keyOf(functionArn);
  if (lineage === undefined) return `${key}:1`;
  const entries = entriesOf(lineage);
  const count = Math.min(COUNT_MAX, (entries.get(key) ?? 0) + 1);
  entries.delete(key);
  const others = [...entries].slice(-(FUNCTIONS_MAX - 1));
  return [...others, [key, count] as const].map(([name, passed]) => `${name}:${passed}`).join("|");
}

/** A trace header with this lineage in the place of its own. */
export function withLineage(header: string, lineage: Lineage | undefined): string {
  if (lineage === undefined) return header;
  const others = header.split(";").filter((member) => !/^\s*lineage=/i.test(member));
  return [...others, `Lineage=${lineage}`].join(";");
}

function entriesOf(lineage: Lineage | undefined): Map<string, number> {
  const members = lineage === undefined ? [] : lineage.split("|");
  return new Map(
    members.map((member) => {
      const [key = "", count = ""] = member.split(":");
      return [key, Number(count)] as const;
    }),
  );
}

/** Every call asks for the key of its function: as many are kept as there may be functions, with their qualifiers. */
const keys = new Map<string, string>();
const KEYS_MAX = 4_096;

function keyOf(functionArn: string): string {
  let key = keys.get(functionArn);
  if (key === undefined) {
    if (keys.size >= KEYS_MAX) keys.clear();
    key = hashOf(functionArn);
    keys.set(functionArn, key);
  }
  return key;
}

/** FNV-1a of the ARN without its qualifier: eight digits tell the functions of a chain apart. */
function hashOf(functionArn: string): string {
  const text = functionArn.split(":").slice(0, 7).join(":");
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}
