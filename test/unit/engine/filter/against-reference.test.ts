import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { validatePattern } from "../../../../src/engine/filter/filter.ts";
import { testPattern } from "../../../../src/engine/filter/test-pattern.ts";
import { compileWildcard, parseWildcard } from "../../../../src/engine/filter/wildcard.ts";
import { naiveMatches, naiveWildcard } from "./reference-matcher.ts";

const RUNS = 3_000;
const KEYS = ["a", "b", "c", "a-b", "__proto__", "constructor", ""];

const key = fc.constantFrom(...KEYS);
const scalar = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, 1, 2, -0.5, ""),
  fc.stringMatching(/^[abA*]{0,4}$/),
);

function object(value: fc.Arbitrary<unknown>, keys = key): fc.Arbitrary<object> {
  return fc.array(fc.tuple(keys, value), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
}

const { event } = fc.letrec<{ event: object; value: unknown }>((tie) => ({
  event: object(tie("value")),
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 4 }),
    object(tie("value")),
  ),
}));

const shortText = fc.stringMatching(/^[abA]{1,3}$/);
const wildcard = fc.stringMatching(/^(\*?[ab]|\\\*){0,4}\*?$/);
const number = fc.constantFrom(-1, 0, 1, 2);
const nested = fc.oneof(
  fc.record({ prefix: fc.oneof(shortText, fc.array(shortText, { minLength: 1, maxLength: 3 })) }),
  fc.record({ suffix: fc.oneof(shortText, fc.array(shortText, { minLength: 1, maxLength: 3 })) }),
  fc.record({
    "equals-ignore-case": fc.oneof(shortText, fc.array(shortText, { minLength: 1, maxLength: 3 })),
  }),
  fc.record({ wildcard: fc.oneof(wildcard, fc.array(wildcard, { minLength: 1, maxLength: 2 })) }),
);
const condition = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 3, arbitrary: fc.record({ exists: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ prefix: fc.oneof(shortText, fc.record({ "equals-ignore-case": shortText })) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ suffix: fc.oneof(shortText, fc.record({ "equals-ignore-case": shortText })) }),
  },
  { weight: 2, arbitrary: fc.record({ "equals-ignore-case": shortText }) },
  { weight: 2, arbitrary: fc.record({ wildcard }) },
  {
    weight: 2,
    arbitrary: fc.record({
      numeric: fc.oneof(
        fc.tuple(fc.constantFrom("=", "<", "<=", ">", ">="), number),
        fc.tuple(
          fc.constantFrom(">", ">="),
          fc.constant(0),
          fc.constantFrom("<", "<="),
          fc.constantFrom(1, 2),
        ),
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      "anything-but": fc.oneof(
        shortText,
        number,
        fc.array(shortText, { minLength: 1, maxLength: 3 }),
        fc.array(number, { minLength: 1, maxLength: 3 }),
        nested,
      ),
    }),
  },
);

const leaf = fc.array(condition, { minLength: 1, maxLength: 3 });
const exists = fc.array(fc.oneof(fc.constantFrom(1, 2, "a"), fc.record({ exists: fc.boolean() })), {
  minLength: 1,
  maxLength: 2,
});

/** Patterns of the given fields, with `$or` in places, at most `levels` deep. */
function patterns(
  field: fc.Arbitrary<unknown>,
  keys: fc.Arbitrary<string>,
  levels = 3,
): fc.Arbitrary<object> {
  const below = levels > 1 ? patterns(field, keys, levels - 1) : undefined;
  const member =
    below === undefined ? field : fc.oneof({ weight: 2, arbitrary: field }, { weight: 1, arbitrary: below });
  const or = below === undefined ? fc.constant([]) : fc.array(below, { minLength: 2, maxLength: 3 });
  return fc
    .tuple(
      fc.array(fc.tuple(keys, member), { minLength: 1, maxLength: 3 }),
      fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: or }),
      fc.boolean(),
    )
    .map(([fields, members, isOrFirst]) => {
      const alternatives: [string, unknown][] = members.length === 0 ? [] : [["$or", members]];
      return Object.fromEntries(isOrFirst ? [...alternatives, ...fields] : [...fields, ...alternatives]);
    });
}

function agrees(pattern: object, document: object): void {
  const text = JSON.stringify(pattern);
  const reason = validatePattern(text) ?? "";
  fc.pre(!reason.startsWith("Rule is too complex") && !reason.startsWith("Pattern is too long"));
  assert.equal(testPattern(text, JSON.stringify(document)), naiveMatches(pattern, document));
}

test("decides as the reference does, for every operator", () => {
  fc.assert(fc.property(patterns(leaf, key), event, agrees), { numRuns: RUNS });
});

test("holds array elements together as the reference does, exists:false and $or included", () => {
  const few = fc.constantFrom("a", "b", "c");
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: "medium" },
      fc.constantFrom<unknown>(1, 2, "a"),
      fc.array(tie("value"), { maxLength: 3 }),
      object(tie("value"), few),
    ),
  }));
  fc.assert(fc.property(patterns(exists, few), object(value, few), agrees), { numRuns: 3 * RUNS });
});

test("reads dots in keys of the event and of the pattern as nesting", () => {
  const dotted = fc.constantFrom("a", "b", "a.b", "b.a", "a.b.a", "a.", ".a");
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, fc.constantFrom<unknown>(1, 2, "a"), object(tie("value"), dotted)),
  }));
  fc.assert(fc.property(patterns(exists, dotted), object(value, dotted), agrees), { numRuns: 2 * RUNS });
});

test("reads dots in keys of objects in an array as nesting, where each name has one place", () => {
  const element = fc
    .array(fc.constantFrom("x.b", "x.c", "y"), { maxLength: 3 })
    .chain((keys) =>
      fc.tuple(
        ...[...new Set(keys)].map((name) => fc.tuple(fc.constant(name), fc.constantFrom<unknown>(1, 2))),
      ),
    );
  const array = fc.array(
    element.map((entries) => Object.fromEntries(entries)),
    { maxLength: 4 },
  );
  const names = fc.constantFrom("x", "b", "c", "y");
  fc.assert(
    fc.property(patterns(exists, names), array, (pattern, elements) =>
      agrees({ a: pattern }, { a: elements }),
    ),
    { numRuns: RUNS },
  );
});

test("goes by the keys of an array's objects, when there are many, to the same result", () => {
  const few = fc.constantFrom("a", "b", "c", "a.b");
  const element = object(fc.oneof(fc.constantFrom<unknown>(1, 2), object(fc.constantFrom(1, 2), few)), few);
  const elements = fc.array(element, { maxLength: 4 });
  // 40 alternatives that cannot hold make every direct look at an element dear, and the empty objects spend the budget
  // for it.
  const padding = Array.from({ length: 20 }, (_, i) => ({ a: { [`pad${i}`]: ["never"] } }));
  const blanks = Array.from({ length: 2_000 }, () => ({}));
  fc.assert(
    fc.property(patterns(exists, few), elements, (pattern, some) => {
      const text = JSON.stringify({ $or: [{ a: pattern }, ...padding] });
      fc.pre(validatePattern(text) === undefined);
      const expected = naiveMatches({ a: pattern }, { a: [{}, ...some] });
      assert.equal(testPattern(text, JSON.stringify({ a: [...blanks, ...some] })), expected);
    }),
    { numRuns: RUNS / 10 },
  );
});

test("finds what a backtracking wildcard finds", () => {
  const pattern = fc.stringMatching(/^(\*?(a|b|\\\\|\\\*){1,4}){0,4}\*?$/);
  const value = fc.stringMatching(/^[ab*\\]{0,14}$/);
  fc.assert(
    fc.property(pattern, value, (text, against) => {
      const wildcard = parseWildcard(text);
      assert.ok(!("reason" in wildcard));
      assert.equal(compileWildcard(wildcard)(against), naiveWildcard(text, against));
    }),
    { numRuns: 2 * RUNS },
  );
});
