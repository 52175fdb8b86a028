import { code, eventOf, filled, manyOf, range, textEvent } from "./large-events.ts";

/** Patterns that are accepted, each with an event of 256 KB that makes it as dear as we know how. */
export interface AdversarialCase {
  readonly title: string;
  readonly pattern: string;
  readonly event: string;
}

export function adversarialCases(): AdversarialCase[] {
  return [...wildcardCases(), ...scalarCases(), ...objectCases(), ...ruleCases(), ...shapeCases()];
}

function wildcardCases(): AdversarialCase[] {
  const field = (tests: readonly unknown[]): string => JSON.stringify({ a: tests });
  const aaab = `*${"a".repeat(8)}b*`;
  const piece = `${"ab".repeat(4)}${range(900).map(code).join("")}`;
  const long = `*${piece}*`;
  const three = field(["*a*x", "*b*x", "*c*x"].map((wildcard) => ({ wildcard })));
  return [
    {
      title: "wildcard of four stars",
      pattern: field([{ wildcard: "*b*c*d*w" }]),
      event: textEvent(filled("bcdy")),
    },
    {
      title: "wildcard of repeats on a's",
      pattern: field([{ wildcard: aaab }]),
      event: textEvent(filled("a")),
    },
    {
      title: "wildcard of a long piece",
      pattern: field([{ wildcard: long }]),
      event: textEvent(filled(piece.slice(0, -1))),
    },
    { title: "three wildcards on one text", pattern: three, event: textEvent(`${filled("y")}`) },
    {
      title: "three wildcards on short texts",
      pattern: three,
      event: eventOf(["a"], (i) => `"abc${i % 10}"`),
    },
    {
      title: "anything-but of wildcards on short texts",
      pattern: field(["*a*x", "*b*x", "*c*x"].map((w) => ({ "anything-but": { wildcard: w } }))),
      event: eventOf(["a"], `"abcx"`),
    },
  ];
}

function scalarCases(): AdversarialCase[] {
  const wrap = (a: readonly unknown[]): object => ({ a });
  const prefixes = manyOf((i) => ({ prefix: `${code(i)}zz` }), wrap);
  const suffixes = manyOf((i) => ({ suffix: `zz${code(i)}` }), wrap);
  const folded = manyOf((i) => ({ "equals-ignore-case": `${code(i)}zz` }), wrap);
  const deep = manyOf((i) => ({ prefix: { "equals-ignore-case": `${"é".repeat(i)}z` } }), wrap);
  const ranges = manyOf((i) => ({ numeric: [">", i * 2, "<", i * 2 + 1] }), wrap);
  const cidrs = manyOf((i) => ({ cidr: `1.${i}.0.0/17` }), wrap);
  const cidrs6 = manyOf((i) => ({ cidr: `1:${i}::/33` }), wrap);
  const kinds = [
    { prefix: "ab" },
    { prefix: "ac" },
    { suffix: "ab" },
    { suffix: "ac" },
    { "equals-ignore-case": "abc" },
    { numeric: [">", 5] },
    { cidr: "10.0.0.0/8" },
    { wildcard: "a*b*c" },
  ];
  const mixed = JSON.stringify({ a: kinds });
  const nots = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map((x) => ({
    "anything-but": { prefix: [x, "zz"] },
  }));
  return [
    {
      title: "hundreds of prefixes on short texts",
      pattern: prefixes,
      event: eventOf(["a"], (i) => `"${code(i % 200)}"`),
    },
    {
      title: "hundreds of suffixes on short texts",
      pattern: suffixes,
      event: eventOf(["a"], (i) => `"${code(i % 200)}"`),
    },
    {
      title: "hundreds of ignore-case texts",
      pattern: folded,
      event: eventOf(["a"], (i) => `"${code(i % 150)}z"`),
    },
    {
      title: "nested ignore-case prefixes on long texts",
      pattern: deep,
      event: eventOf(["a"], `"${"É".repeat(80)}"`),
    },
    { title: "hundreds of ranges on numbers", pattern: ranges, event: eventOf(["a"], (i) => String(i % 10)) },
    {
      title: "hundreds of IPv4 blocks",
      pattern: cidrs,
      event: eventOf(["a"], (i) => `"1.${i % 200}.200.1"`),
    },
    {
      title: "hundreds of IPv6 blocks",
      pattern: cidrs6,
      event: eventOf(["a"], (i) => `"1:${i % 90}:8000::"`),
    },
    { title: "IPv6 blocks on shortest addresses", pattern: cidrs6, event: eventOf(["a"], `"::"`) },
    { title: "every kind on short texts", pattern: mixed, event: eventOf(["a"], (i) => `"${"abc"[i % 3]}"`) },
    {
      title: "every kind on texts that nearly match",
      pattern: mixed,
      event: eventOf(["a"], `"aababababbbbbbx"`),
    },
    {
      title: "nine anything-but prefixes on shortest texts",
      pattern: JSON.stringify({ b: [{ exists: false }], a: nots.slice(0, 1), c: [1] }),
      event: eventOf(["a"], `"a"`),
    },
    {
      title: "a thousand exact values",
      pattern: manyOf((i) => code(i), wrap),
      event: eventOf(["a"], (i) => `"z${i % 10}"`),
    },
    {
      title: "exact numbers",
      pattern: manyOf((i) => i + 10, wrap),
      event: eventOf(["a"], (i) => String(i % 10)),
    },
  ];
}

function objectCases(): AdversarialCase[] {
  const many = (test: unknown) => {
    const members: Record<string, unknown> = {};
    for (let i = 0; JSON.stringify({ a: members }).length < 3900; i++) members[code(i)] = [test];
    return members;
  };
  const required = many(1);
  const absent = Object.fromEntries(range(32).map((i) => [code(i), [{ exists: false }]]));
  const full = Object.fromEntries(range(300).map((i) => [code(i), 1]));
  const chain = (depth: number): object => range(depth).reduce<object>((inner) => ({ b: inner }), { c: [1] });
  return [
    {
      title: "hundreds of fields, empty elements",
      pattern: JSON.stringify({ a: required }),
      event: eventOf(["a"], "{}"),
    },
    {
      title: "hundreds of fields, full elements",
      pattern: JSON.stringify({ a: required }),
      event: eventOf(["a"], JSON.stringify(full)),
    },
    {
      title: "hundreds of fields, one present",
      pattern: JSON.stringify({ a: required }),
      event: eventOf(["a"], `{"00":1}`),
    },
    {
      title: "32 absent fields, empty elements, one field missing",
      pattern: JSON.stringify({ a: { ...absent, zz: [1] } }),
      event: eventOf(["a"], "{}"),
    },
    {
      title: "32 absent fields, the last present",
      pattern: JSON.stringify({ a: { ...absent, zz: [1] } }),
      event: eventOf(["a"], `{"zz":1,"0v":1}`),
    },
    {
      title: "32 absent fields, all leading, one present",
      pattern: JSON.stringify({ a: absent }),
      event: eventOf(["a"], (i) => `{"${code(i % 32)}":1}`),
    },
    {
      title: "deep chain on empty elements",
      pattern: JSON.stringify({ a: chain(60) }),
      event: eventOf(["a"], "{}"),
    },
    {
      title: "deep chain, one step taken",
      pattern: JSON.stringify({ a: chain(60) }),
      event: eventOf(["a"], `{"b":{}}`),
    },
    {
      title: "deep chain of objects in the event",
      pattern: JSON.stringify({ a: chain(60) }),
      event: eventOf(["a"], JSON.stringify(chain(59))),
    },
    {
      title: "deep chain of arrays and objects",
      pattern: JSON.stringify({ a: chain(60) }),
      event: eventOf(["a"], JSON.stringify(range(58).reduce<unknown>((inner) => [{ b: inner }], {}))),
    },
    {
      title: "dotted keys in all elements",
      pattern: JSON.stringify({ a: { b: { c: [1], d: [2] } } }),
      event: eventOf(["a"], `{"b.c":1}`),
    },
    {
      title: "dotted keys, deep",
      pattern: JSON.stringify({ a: chain(30) }),
      event: eventOf(["a"], `{"b.b.b":1}`),
    },
    {
      title: "dotted and nested keys, arrays",
      pattern: JSON.stringify({ a: required }),
      event: `{"a.00":1,${eventOf(["a"], `{"01":1}`).slice(1)}`,
    },
  ];
}

function ruleCases(): AdversarialCase[] {
  const or = (rules: readonly object[]) => JSON.stringify({ a: { $or: rules } });
  const distinct = range(32).map((i) => ({ [code(i)]: [1] }));
  const scans = range(6).map((i) => ({ x: [{ prefix: `${code(i)}a` }, { prefix: `${code(i)}b` }] }));
  const absentThen = range(32).map((i) => ({ [code(i)]: [{ exists: false }], [`z${code(i)}`]: [2] }));
  const cross = JSON.stringify({
    a: Object.fromEntries(range(5).map((i) => [`k${i}`, { $or: [{ x: [1] }, { y: [1] }] }])),
  });
  return [
    { title: "$or of 32 fields, empty elements", pattern: or(distinct), event: eventOf(["a"], "{}") },
    {
      title: "$or of 32 fields, no field holds",
      pattern: or(distinct),
      event: eventOf(["a"], (i) => `{"${code(i % 32)}":0}`),
    },
    {
      title: "$or of six automata on one field",
      pattern: or(scans),
      event: eventOf(["a"], (i) => `{"x":"${code(i % 9)}"}`),
    },
    {
      title: "$or with absent fields",
      pattern: or(absentThen),
      event: eventOf(["a"], (i) => `{"${code(i % 32)}":1}`),
    },
    {
      title: "cross product of five $or",
      pattern: cross,
      event: eventOf(["a"], `{"k0":{"x":1},"k1":{"y":1}}`),
    },
    {
      title: "32 tests of one field",
      pattern: or(range(32).map((i) => ({ x: [i + 5] }))),
      event: eventOf(["a"], `{"x":1}`),
    },
  ];
}

function shapeCases(): AdversarialCase[] {
  const wide = JSON.stringify({ a: { zzz: [1], zz: [{ exists: false }] } });
  const keys = (count: number): string =>
    range(count)
      .map((i) => `"${i.toString(36).padStart(3, "x")}":1`)
      .join(",");
  const manyFields = JSON.stringify({
    a: Object.fromEntries(range(200).map((i) => [`f${i}`, i > 9 ? [1] : [{ exists: false }]])),
  });
  return [
    { title: "one object with very many keys", pattern: wide, event: `{"a":{${keys(29_000)}}}` },
    { title: "one such object in an array", pattern: wide, event: `{"a":[{${keys(29_000)}}]}` },
    {
      title: "the same behind small elements",
      pattern: manyFields,
      event: `{"a":[${range(1_000)
        .map(() => "{}")
        .join(",")},{${keys(28_500)}}]}`,
    },
    {
      title: "number-like keys behind small elements",
      pattern: manyFields,
      event: `{"a":[${range(1_000)
        .map(() => "{}")
        .join(",")},{${range(24_500)
        .map((i) => `"${i * 7}":1`)
        .join(",")}}]}`,
    },
    {
      title: "arrays nested too deep",
      pattern: wide,
      event: `{"a":${"[".repeat(120_000)}1${"]".repeat(120_000)}}`,
    },
    {
      title: "arrays of one object, absent or anything but (found by random search)",
      pattern: JSON.stringify({
        a: { zz: [{ exists: false }, { numeric: [">", 3] }, { prefix: "b" }], zy: [{ exists: false }] },
      }),
      event: eventOf(["a"], `[{"zz":2}]`),
    },
    { title: "empty arrays in an array", pattern: wide, event: eventOf(["a"], "[]") },
    { title: "arrays of one element", pattern: wide, event: eventOf(["a"], `[{"zz":1}]`) },
    {
      title: "objects nested very deep",
      pattern: wide,
      event: `{"a":${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}}`,
    },
  ];
}
