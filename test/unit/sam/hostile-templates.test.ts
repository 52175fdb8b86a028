import assert from "node:assert/strict";
import { test } from "node:test";
import { read, told, variableOf, withValue } from "./template-samples.ts";

/** The first thing that a person reads. */
function first(text: string): string {
  return told(read(text))[0] ?? "";
}

test("conditions that hang on each other end in a sentence", () => {
  const text = withValue(
    "!If [A, 1, 2]",
    "Conditions:\n  A: !Not [Condition: B]\n  B: !Or [Condition: A, !Equals [1, 1]]\n",
  );
  assert.match(first(text), /^t\.yaml:\d+:\d+: The condition A hangs on itself, or on too many others/);
});

test("a long chain of conditions ends in a sentence", () => {
  const chain = Array.from(
    { length: 900 },
    (_, index) => `  C${index}: !Not [Condition: C${index + 1}]\n`,
  ).join("");
  assert.match(
    first(withValue("!If [C0, 1, 2]", `Conditions:\n${chain}`)),
    /hangs on itself, or on too many others|nested too deep/,
  );
});

test("names of resources that are made of each other end in a sentence", () => {
  const resources = `  A: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub "x\${B.QueueName}" } }
  B: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub "x\${A.QueueName}" } }
`;
  assert.match(
    first(withValue("!GetAtt A.QueueName", resources)),
    /^t\.yaml:\d+:\d+: The name of [AB] is made of itself/,
  );
});

test("aliases that name each other, a bomb of them, and one that holds itself end in a sentence", () => {
  const bomb = Array.from({ length: 60 }, (_, index) => {
    const before = index === 0 ? "x" : `*a${index - 1}`;
    return `  a${index}: &a${index} !Join ["", [${before}, ${before}]]\n`;
  }).join("");
  const text = `Metadata:\n${bomb}${withValue("*a59")}`;
  assert.match(first(text), /The functions of this template take more steps, or make longer texts/);
  const lists = Array.from({ length: 40 }, (_, index) => {
    const before = index === 0 ? "x" : `*b${index - 1}`;
    return `  b${index}: &b${index} [${before}, ${before}]\n`;
  }).join("");
  assert.match(first(`Metadata:\n${lists}${withValue('!Join ["", *b39]')}`), /take more steps/);
  assert.match(first(withValue("&self [*self]")), /The alias \*self stands for a value that it is a part of/);
  assert.match(first(withValue("*lost")), /lost/);
});

test("a bomb that nobody uses costs nothing", () => {
  const lists = Array.from({ length: 40 }, (_, index) => {
    const before = index === 0 ? "x" : `*b${index - 1}`;
    return `  b${index}: &b${index} [${before}, ${before}, ${before}, ${before}]\n`;
  }).join("");
  assert.deepEqual(told(read(`Metadata:\n${lists}${withValue("x")}`)), []);
});

test("what is nested too deep, or too long, ends in a sentence", () => {
  assert.match(first(withValue("[".repeat(5000) + "]".repeat(5000))), /Values are nested more than 64 deep/);
  const deep = Array.from({ length: 200 }, (_, index) => `${"  ".repeat(index)}a:\n`).join("");
  assert.match(first(`Resources:\n  X:\n${deep}`), /Values are nested more than 64 deep|cannot be read/);
  assert.match(first(`Resources:\n${"  - x\n".repeat(2000)}`), /more than 1000 entries/);
  assert.match(first(`Resources: {}\nx: "${"a ".repeat(400_000)}"`), /^$|no Resources|has/);
});

test("tags and names that mean something elsewhere end in a sentence", () => {
  assert.match(first(withValue("!!js/function x")), /There is no tag "tag:yaml\.org,2002:js\/function"/);
  assert.match(first(withValue("!Reff x")), /There is no tag "!Reff". Tags here are: !Ref, /);
  assert.match(first(withValue("{ __proto__: x }")), /The name __proto__ cannot be used/);
  assert.equal(variableOf("!FindInMap [constructor, a, b]"), undefined);
  assert.match(
    first(withValue("!FindInMap [Hosts, constructor, name]", "Mappings: { Hosts: {} }\n")),
    /has no value/,
  );
  assert.match(first(withValue("!Ref constructor")), /There is no parameter and no resource "constructor"/);
  assert.match(
    first(withValue("!GetAtt toString.valueOf")),
    /There is no parameter and no resource "toString"/,
  );
});

test("types that name parts of objects are types that nobody runs", () => {
  const text = `Resources:\n  X: { Type: constructor }\n  Y: { Type: __proto__ }\n  F:\n    Type: AWS::Serverless::Function
    Properties: { Runtime: constructor, Handler: a.b, Events: { E: { Type: toString } } }\n`;
  const lines = told(read(text));
  assert.equal(lines.length, 3, lines.join("\n"));
});

test("a text that is no template, several documents, and no Resources end in a sentence", () => {
  assert.match(first(""), /The template is empty/);
  assert.match(first("- a\n"), /The template is not a map of sections/);
  assert.match(first("Resources: [\n"), /The template cannot be read/);
  assert.match(first("Resources: {}\n---\nResources: {}\n"), /t\.yaml:3:1: A template is one document/);
  assert.match(first("Transform: x\n"), /The template has no Resources/);
  assert.match(first("Resources: { A: { Properties: {} } }\n"), /The resource A has no Type/);
});

test("lines in brackets may stand as far to the left as AWS lets them, and keep their places", () => {
  const text = withValue("!If [A, {\n    x: 1\n}, !Ref Nobody]", "Conditions:\n  A: !Equals [1, 2]\n");
  assert.deepEqual(told(read(text)), [
    't.yaml:11:9: There is no parameter and no resource "Nobody". Correct the template at this place.',
  ]);
});
