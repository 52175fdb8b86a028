import type { SeededRandom } from "../simulation/random.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Names that do harm where an object is built from input without care. */
const HOSTILE_NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "", "\u0000"];
const HOSTILE_TEXTS = [
  "",
  " ",
  "\u0000",
  "\ud800",
  "__proto__",
  "../../etc/passwd",
  "file:/etc/passwd",
  "http://169.254.169.254/latest/meta-data/",
  "env:HOME",
  "arn:aws:sqs:eu-west-1:123456789012:orders",
  "arn:aws:local:eu-west-1:123456789012:stream/orders",
  "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
  "arn:aws:lambda:eu-west-1:123456789012:function:orders:$LATEST",
  "{{7*7}}",
  "' OR 1=1 --",
  "%00%0d%0a",
  "\r\nX-Injected: 1",
  "💥".repeat(40),
  "[".repeat(2_000),
  "a".repeat(10_001),
  '{"a":[{"wildcard":"**"}]}',
  '{"__proto__":["x"]}',
];
const HOSTILE_NUMBERS = [0, -0, -1, 1, 10, 60, 1e3, 10_001, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, 0.1, 5e-324];

export function anyJson(random: SeededRandom, depth = 0): Json {
  const kind = random.int(0, depth > 3 ? 4 : 7);
  switch (kind) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return random.pick(HOSTILE_NUMBERS);
    case 3:
    case 4:
      return anyText(random);
    case 5:
      return Array.from({ length: random.int(0, 4) }, () => anyJson(random, depth + 1));
    case 6:
      return objectOf(
        Array.from(
          { length: random.int(0, 4) },
          () => [anyName(random), anyJson(random, depth + 1)] as const,
        ),
      );
    default:
      return nested(random.int(1, 60));
  }
}

export function anyText(random: SeededRandom): string {
  if (random.chance(0.7)) return random.pick(HOSTILE_TEXTS);
  return String.fromCharCode(...Array.from({ length: random.int(0, 30) }, () => random.int(0, 0xffff)));
}

/** A value with one thing in it changed: another value, a member more or less, another case of a name. */
export function mutated(value: Json, random: SeededRandom): Json {
  if (random.chance(0.25)) return anyJson(random);
  if (Array.isArray(value)) {
    const at = random.int(0, value.length);
    const changed = value.map((member, index) => (index === at ? mutated(member, random) : member));
    return at === value.length ? [...value, anyJson(random)] : changed;
  }
  if (typeof value === "object" && value !== null) return mutatedObject(Object.entries(value), random);
  return anyJson(random);
}

function mutatedObject(entries: readonly (readonly [string, Json])[], random: SeededRandom): Json {
  const at = random.int(0, entries.length);
  const [name, member] = entries[at] ?? ["", null];
  switch (random.int(0, 3)) {
    case 0:
      return objectOf([...entries, [anyName(random), anyJson(random)]]);
    case 1:
      return objectOf(entries.filter(([each]) => each !== name));
    case 2:
      return objectOf([...entries, [random.chance(0.5) ? name.toUpperCase() : name.toLowerCase(), member]]);
    default:
      return objectOf(entries.map(([each, own]) => [each, each === name ? mutated(own, random) : own]));
  }
}

/** The text that is sent: mostly JSON, sometimes broken, too deep, too wide, too long, or of wrong bytes. */
export function hostileBody(value: Json, random: SeededRandom): Buffer {
  const text = withHostileMember(JSON.stringify(value), random);
  switch (random.int(0, random.chance(0.3) ? 7 : 1_000)) {
    case 0:
      return Buffer.from(text.slice(0, random.int(0, text.length)));
    case 1:
      return flipped(Buffer.from(text), random);
    case 2:
      return Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe, 0x00])]);
    case 3:
      return Buffer.from(`{"a":${"[".repeat(random.int(1, 20_000))}`);
    case 4: {
      const members = Array.from({ length: random.int(900, 1_200) }, (_, index) => `"k${index}":1`);
      return Buffer.from(`{${members.join(",")}}`);
    }
    case 5:
      return Buffer.alloc(random.int(60_000, 70_000), 0x20);
    case 6:
      return Buffer.from(text.replace("{", `{"Enabled":1e999,"BatchSize":-0,`));
    case 7:
      return Buffer.alloc(0);
    default:
      return Buffer.from(text);
  }
}

/** `JSON.stringify` never writes these as they do harm: they are put into the text. */
function withHostileMember(text: string, random: SeededRandom): string {
  if (!random.chance(0.08)) return text;
  const name = random.pick(["__proto__", "constructor", "prototype", "\\u005f\\u005fproto__"]);
  const member = `"${name}":{"polluted":true,"Enabled":false}`;
  const places = [...text.matchAll(/\{/g)].map(({ index }) => index + 1);
  if (places.length === 0) return text;
  const at = random.pick(places);
  return text.slice(0, at) + member + (text[at] === "}" ? "" : ",") + text.slice(at);
}

export function flipped(bytes: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(bytes);
  for (let flips = random.int(1, 4); flips > 0 && copy.length > 0; flips--) {
    copy[random.int(0, copy.length - 1)] = random.int(0, 255);
  }
  return copy;
}

function nested(depth: number): Json {
  let value: Json = "deep";
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { Filters: value };
  return value;
}

function anyName(random: SeededRandom): string {
  return random.pick(HOSTILE_NAMES);
}

function objectOf(entries: readonly (readonly [string, Json])[]): Json {
  // As own members, also `__proto__`.
  return Object.fromEntries(entries);
}
