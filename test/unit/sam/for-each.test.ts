import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf } from "../../../src/sam/read-template.ts";
import { read, told, variableOf } from "./template-samples.ts";

const LOOP = `Parameters: { Names: { Type: CommaDelimitedList, Default: "a-1,b" } }
Resources:
  Fn::ForEach::Workers:
    - Name
    - !Ref Names
    - Queue&{Name}:
        Type: AWS::SQS::Queue
        Properties: { QueueName: !Sub "q-\${Name}" }
      Worker&{Name}:
        Type: AWS::Serverless::Function
        Properties:
          FunctionName: !Join ["-", [worker, !Ref Name]]
          Runtime: nodejs24.x
          Handler: index.handler
          Events:
            Mail: { Type: SQS, Properties: { Queue: !GetAtt "Queue&{Name}.Arn" } }
`;

test("a loop makes its resources, each with its own names, as they would stand there", () => {
  const { resources, faults } = read(LOOP);
  assert.deepEqual(faults, []);
  const specs = resources.map(
    (each) => [each.name, manifestOf(each).spec as Record<string, unknown>] as const,
  );
  assert.deepEqual(
    specs.map(([name, spec]) => [name, spec["eventSourceArn"]]),
    [
      ["worker-a-1", undefined],
      ["worker-b", undefined],
      ["Workera1Mail", "arn:aws:sqs:eu-west-1:123456789012:q-a-1"],
      ["WorkerbMail", "arn:aws:sqs:eu-west-1:123456789012:q-b"],
    ],
  );
});

test("loops in loops and in properties and conditions are made, too", () => {
  const text = `Conditions:
  Fn::ForEach::Stages: [S, [one, two], { "Is\${S}": !Equals ["\${S}", two] }]
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Condition: Istwo
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      Environment:
        Variables:
          Fn::ForEach::Outer: [A, [x, y], { "Fn::ForEach::Inner": [B, ["1", "2"], { "V\${A}\${B}": !Ref A }] }]
`;
  const { resources, faults } = read(text);
  assert.deepEqual(faults, []);
  const [fn] = resources;
  assert.ok(fn);
  const { environment } = manifestOf(fn).spec as Record<string, unknown>;
  assert.deepEqual(environment, { Vx1: "x", Vx2: "x", Vy1: "y", Vy2: "y" });
});

for (const [what, loop, line] of [
  [
    "is no list",
    "Fn::ForEach::L: x",
    "t.yaml:2:19: Fn::ForEach::L is not called as it has to be. Give a list: an identifier, the values, and a map of what is made of each.",
  ],
  [
    "goes over what nobody knows",
    "Fn::ForEach::L: [N, !GetAZs eu-west-1, { A: { Type: AWS::X::Y } }]",
    "t.yaml:2:31: The values of Fn::ForEach::L are not known. Give a list of texts, or a parameter that is one.",
  ],
  [
    "makes one name twice",
    "Fn::ForEach::L: [N, [a, b], { A: { Type: AWS::X::Y } }]",
    "t.yaml:2:3: Fn::ForEach::L makes A twice. Correct the template at this place.",
  ],
] as const) {
  test(`a loop that ${what} is told at its place`, () => {
    const text = `Resources:\n  ${loop}\n  T: { Type: AWS::DynamoDB::Table }\n`;
    assert.equal(told(read(text))[0], line);
  });
}

test("loops that would make too much end with one fault", () => {
  const items = Array.from({ length: 400 }, (_, index) => `v${index}`).join(", ");
  const inner = `{ "Fn::ForEach::B": [B, [${items}], { "R\${A}\${B}": { Type: "AWS::X::Y" } }] }`;
  const { faults } = read(`Resources:\n  Fn::ForEach::A: [A, [${items}], ${inner}]\n`);
  assert.equal(faults.filter(({ message }) => message.includes("more than 100000 values")).length, 1);
});

test("Fn::Length counts a list, and refuses what is none", () => {
  assert.equal(variableOf('{ "Fn::Length": [a, b, c] }'), "3");
  assert.equal(variableOf("!Length [!Ref AWS::Region]"), "1");
  assert.equal(variableOf("!Length text"), undefined);
});
