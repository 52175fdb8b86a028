import assert from "node:assert/strict";
import { test } from "node:test";
import { functionOf, read, told, variableOf, withValue } from "./template-samples.ts";

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: texts of templates have them.
const PARAMETERS = `Parameters:
  Stage: { Type: String, Default: dev, AllowedValues: [dev, prod] }
  Zones: { Type: CommaDelimitedList, Default: "a, b,c" }
  Token: { Type: String, NoEcho: true, Default: hidden }
  Size: { Type: Number, MinValue: 1, MaxValue: 9, Default: 3 }
  Asked: { Type: String }
Mappings:
  Hosts: { dev: { Url: "http://dev" }, prod: { Url: "http://prod" } }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsOther: !Not [Condition: IsProd]
  Both: !And [!Condition IsProd, !Equals [a, a]]
  Either: !Or [Condition: IsProd, !Equals [!Select [0, !Ref Zones], a]]
`;

/** What stands in the template, and what the function gets. */
const IMPORTS = new Map([
  ["other", "from another stack"],
  ["dev-vpc", "of dev"],
]);
const VALUES: readonly (readonly [written: string, value: string | undefined])[] = [
  ["!Ref Stage", "dev"],
  ["{ Ref: Stage }", "dev"],
  ["!Ref AWS::Region", "eu-west-1"],
  ["!Ref AWS::AccountId", "123456789012"],
  ["!Ref AWS::StackName", "shop"],
  ["!Ref AWS::NoValue", undefined],
  ["!Ref Orders", "Orders"],
  ["!GetAtt Orders.Arn", "arn:aws:lambda:eu-west-1:123456789012:function:Orders"],
  ["{ Fn::GetAtt: [Orders, Arn] }", "arn:aws:lambda:eu-west-1:123456789012:function:Orders"],
  [
    '!Sub "${Stage}-${AWS::Partition}-${Orders.Arn}"',
    "dev-aws-arn:aws:lambda:eu-west-1:123456789012:function:Orders",
  ],
  ['!Sub ["${A}.${!Literal}.${Stage}", { A: !Select [1, !Ref Zones] }]', "b.${Literal}.dev"],
  ['!Join ["-", [x, !Ref Stage, !If [IsProd, y, !Ref "AWS::NoValue"]]]', "x-dev"],
  ['!Join [",", !Ref Zones]', "a,b,c"],
  ['!Select [2, !Split ["/", "a/b/c"]]', "c"],
  ['!Select ["0", [first]]', "first"],
  ["!If [IsOther, yes it is, no]", "yes it is"],
  ["!If [Both, a, b]", "b"],
  ["!If [Either, a, b]", "a"],
  ["!FindInMap [Hosts, !Ref Stage, Url]", "http://dev"],
  ["!FindInMap [Hosts, nobody, Url, { DefaultValue: none }]", "none"],
  ["!Base64 hello", "aGVsbG8="],
  ["!ImportValue other", "from another stack"],
  ['{ "Fn::ImportValue": { "Fn::Sub": "${Stage}-vpc" } }', "of dev"],
  ["!ToJsonString { a: [1, !Ref Stage] }", '{"a":[1,"dev"]}'],
  ["012345678901", "012345678901"],
  ["1.10", "1.10"],
  ["true", "true"],
  ["2012-10-17", "2012-10-17"],
];

for (const [written, value] of VALUES) {
  test(`${written} is ${value === undefined ? "nothing" : JSON.stringify(value)}`, () => {
    assert.equal(variableOf(written, PARAMETERS, { imports: IMPORTS }), value);
  });
}

test("a value that the caller gives is taken in place of the default, within its bounds", () => {
  const given = (name: string, value: string) => ({ parameters: new Map([[name, value]]) });
  assert.equal(
    variableOf("!FindInMap [Hosts, !Ref Stage, Url]", PARAMETERS, given("Stage", "prod")),
    "http://prod",
  );
  assert.deepEqual(told(read(withValue("!Ref Stage", PARAMETERS), given("Stage", "test"))), [
    't.yaml:11:10: The parameter Stage is "test" and is to be one of dev, prod. Give another value.',
  ]);
  assert.deepEqual(told(read(withValue("!Ref Size", PARAMETERS), given("Size", "10"))), [
    't.yaml:14:9: The parameter Size is "10" and is to be at most 9. Give another value.',
  ]);
  assert.deepEqual(told(read(withValue("x", PARAMETERS), given("Stages", "dev"))), [
    't.yaml:1:1: The template has no parameter "Stages". Parameters here are: Stage, Zones, Token, Size, Asked.',
  ]);
});

test("a parameter without a value is asked for once, where it is declared, and only if something needs it", () => {
  assert.deepEqual(told(read(withValue("x", PARAMETERS))), []);
  assert.deepEqual(told(read(withValue('!Sub "${Asked} ${Asked} ${Stage}"', PARAMETERS))), [
    "t.yaml:15:10: The parameter Asked has no value and no default. Give --parameter Asked=VALUE.",
  ]);
  assert.deepEqual(told(read(withValue("!ImportValue lost"))), [
    't.yaml:9:31: Another stack exports "lost", and its value is not given. Give --import-value lost=VALUE.',
  ]);
});

test("a secret stands by its name alone, however deep it is, and its value is nowhere", () => {
  for (const written of [
    "!Ref Token",
    '!Sub "Bearer ${Token}"',
    '!Join ["", [a, !Ref Token]]',
    "!Base64 { Ref: Token }",
  ]) {
    const result = read(withValue(written, PARAMETERS), { parameters: new Map([["Token", "s3cret"]]) });
    const spec = functionOf(withValue(written, PARAMETERS), { parameters: new Map([["Token", "s3cret"]]) });
    assert.deepEqual(spec?.["inheritEnvironment"], ["VALUE"], written);
    assert.equal(spec?.["environment"], undefined, written);
    assert.deepEqual(told(result), [
      "t.yaml:9:11: Orders.Environment: VALUE: secrets stand by their names alone. Give them in the environment of millrace.",
    ]);
    assert.ok(!JSON.stringify([...told(result), spec]).includes("s3cret"));
  }
  const dynamic = functionOf(withValue("'{{resolve:secretsmanager:MyKey:SecretString:token}}'"));
  assert.deepEqual(dynamic?.["inheritEnvironment"], ["VALUE"]);
});

/** What is written wrong, and what a person reads. */
const FAULTS: readonly (readonly [written: string, ...told: string[]])[] = [
  [
    "!Ref Nobody",
    't.yaml:9: There is no parameter and no resource "Nobody". Correct the template at this place.',
  ],
  [
    "!Sub '${Nobody}'",
    't.yaml:9: There is no parameter and no resource "Nobody". Correct the template at this place.',
  ],
  [
    "!GetAtt Orders",
    "t.yaml:9: Fn::GetAtt is not called as it has to be. Give NAME.ATTRIBUTE of a resource.",
  ],
  [
    "!Select [3, [a, b]]",
    "t.yaml:9: The list has 2 values, and number 3 is asked for. Correct the template at this place.",
  ],
  [
    "!Select [-1, [a, b]]",
    "t.yaml:9: The list has 2 values, and number -1 is asked for. Correct the template at this place.",
  ],
  ["!Join [a]", "t.yaml:9: Fn::Join is not called as it has to be. Give a delimiter and a list of texts."],
  ["!If [Lost, a, b]", 't.yaml:9: There is no condition "Lost". Correct the template at this place.'],
  [
    "!If [A, b]",
    "t.yaml:9: Fn::If is not called as it has to be. Give the name of a condition and two values.",
  ],
  ["!FindInMap [Lost, a, b]", 't.yaml:9: There is no mapping "Lost". Correct the template at this place.'],
  [
    "!FindInMap [Hosts, dev, Lost]",
    "t.yaml:9: The mapping Hosts has no value for dev and Lost. Correct the template at this place.",
  ],
  [
    "!Ref AWS::Nothing",
    "t.yaml:9: There is no pseudo parameter AWS::Nothing. Correct the template at this place.",
  ],
  [
    "!Equals [a, b]",
    "t.yaml:9: Fn::Equals is not called as it has to be. Give nothing: this function stands in Conditions alone.",
  ],
  ["[a, b]", "t.yaml:9: The variable VALUE is no text. Give a text."],
];

for (const [written, ...lines] of FAULTS) {
  test(`${written} is told with its line, and nothing follows from it`, () => {
    const read9 = told(read(withValue(written, PARAMETERS)));
    assert.deepEqual(
      read9.map((line) => line.replace(/:9:\d+:/, ":9:")),
      lines,
    );
  });
}

test("what AWS alone knows is one remark, and can be given", () => {
  const sections = "  Users: { Type: AWS::Cognito::UserPool }\n";
  const text = withValue('!Sub "x${Users}y"', sections);
  assert.deepEqual(told(read(text)), [
    "t.yaml:9:11: Orders.Environment: VALUE is left out: AWS makes up Users when it makes the AWS::Cognito::UserPool. Give --parameter Users=VALUE.",
    "t.yaml:10:3: Users: AWS::Cognito::UserPool is not run here. Make it in AWS, if functions need it.",
  ]);
  assert.equal(
    variableOf('!Sub "x${Users}y"', sections, { parameters: new Map([["Users", "pool"]]) }),
    "xpooly",
  );
  assert.equal(
    variableOf("!GetAtt Users.Arn", sections, { parameters: new Map([["Users.Arn", "arn:x"]]) }),
    "arn:x",
  );
  assert.deepEqual(told(read(withValue("!Select [0, !GetAZs '']"))), [
    "t.yaml:9:11: Orders.Environment: VALUE is left out: Fn::GetAZs is worked out by AWS alone. Write the value out.",
  ]);
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the same.
