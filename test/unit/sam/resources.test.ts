import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { manifestOf } from "../../../src/sam/read-template.ts";
import { OPTIONS, read, told } from "./template-samples.ts";

const specs = (text: string, options = {}) =>
  Object.fromEntries(read(text, options).resources.map((each) => [each.name, manifestOf(each).spec]));

const FUNCTION = `  Orders:
    Type: AWS::Serverless::Function
    Properties: { Runtime: nodejs24.x, Handler: index.handler, CodeUri: ./orders }
`;

describe("functions of a template", () => {
  test("join Globals by SAM's rule: maps by their members, lists one behind the other, the rest by what is nearer", () => {
    const text = `Globals:
  Function:
    Timeout: 9
    Runtime: nodejs24.x
    Layers: [!Ref Shared]
    Environment: { Variables: { A: shared, B: shared } }
Resources:
  Shared: { Type: AWS::Serverless::LayerVersion, Properties: { ContentUri: shared } }
  Own: { Type: AWS::Lambda::LayerVersion, Properties: { Content: own } }
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Timeout: "5"
      Layers: [!Ref Own]
      Environment: { Variables: { B: own, C: 1 } }
  Plain: { Type: AWS::Lambda::Function, Properties: { Handler: a.b, Runtime: python3.13, Code: plain } }
`;
    assert.deepEqual(specs(text), {
      Orders: {
        runtime: "nodejs24.x",
        handler: "index.handler",
        code: ".",
        layers: ["shared", "own"],
        environment: { A: "shared", B: "own", C: "1" },
        timeoutSeconds: 5,
      },
      Plain: { runtime: "python3.13", handler: "a.b", code: "plain" },
    });
  });

  test("have code that stands in the template as a file of their runtime", () => {
    const files: string[] = [];
    const inlineCode = (file: string, text: string) => {
      files.push(`${file}: ${text}`);
      return `inline/${files.length}`;
    };
    const text = `Resources:
  A: { Type: AWS::Serverless::Function, Properties: { Runtime: python3.13, Handler: index.h, InlineCode: "x = 1" } }
  B: { Type: AWS::Lambda::Function, Properties: { Runtime: nodejs24.x, Handler: index.h, Code: { ZipFile: "y" } } }
`;
    const read = specs(text, { inlineCode }) as Record<string, { code: string }>;
    assert.deepEqual([read["A"]?.code, read["B"]?.code], ["inline/1", "inline/2"]);
    assert.deepEqual(files, ["index.py: x = 1", "index.js: y"]);
  });

  test("that cannot run here are left out with their events, each with one reason", () => {
    const text = `Resources:
  Image: { Type: AWS::Serverless::Function, Properties: { PackageType: Image, Events: { E: { Type: SQS } } } }
  Java: { Type: AWS::Serverless::Function, Properties: { Runtime: java21, Handler: a::b } }
  Bucket: { Type: AWS::Serverless::Function, Properties: { Runtime: nodejs24.x, Handler: a.b, CodeUri: s3://b/k } }
  Nothing: { Type: AWS::Serverless::Function, Properties: { Handler: a.b } }
`;
    assert.deepEqual(specs(text), {});
    assert.deepEqual(
      told(read(text)).map((line) => line.replace(/^t\.yaml:(\d+):\d+: /, "$1 ")),
      [
        "2 Image: The function is left out, with its events: Its code is an image. Run it behind HTTP, or name a folder.",
        "3 Java: The function is left out: Millrace has no client for the runtime java21. Declare it in a manifest, with a command.",
        "4 Bucket: The function is left out: Its code is in S3. Give the folder or zip of its code here, relative to the template.",
        "5 Nothing: The function is left out: Nothing says what runs it. Give Runtime, such as nodejs24.x or python3.13.",
      ],
    );
  });

  test("tell of each property that has no effect, and of one that nobody knows", () => {
    const text = `Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      SnapStart: { ApplyOn: PublishedVersions }
      VpcConfig: !If [InVpc, { SubnetIds: [!ImportValue lost] }, !Ref AWS::NoValue]
      Handlr: x
Conditions: { InVpc: !Equals [1, 2] }
`;
    assert.deepEqual(told(read(text)), [
      "t.yaml:7:7: Orders.SnapStart: It has no effect: it starts as any other. Nothing is to be done unless the function needs it.",
      't.yaml:9:7: Orders: There is no property "Handlr" of functions. Correct its name, or remove it.',
    ]);
  });
});

describe("events of a template", () => {
  test("become mappings of the function, or of the alias that SAM would publish to", () => {
    const text = `Resources:
  Stream: { Type: AWS::Kinesis::Stream, Properties: { Name: orders } }
  Queue: { Type: AWS::SQS::Queue, Properties: { FifoQueue: true } }
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: orders
      Runtime: nodejs24.x
      Handler: index.handler
      AutoPublishAlias: live
      Events:
        Records:
          Type: Kinesis
          Properties:
            Stream: !GetAtt Stream.Arn
            StartingPosition: TRIM_HORIZON
            BatchSize: "50"
            Enabled: "False"
            ParallelizationFactor: 2
            DestinationConfig: { OnFailure: { Type: SQS, Destination: !GetAtt Queue.Arn } }
        Messages:
          Type: SQS
          Properties: { Queue: !GetAtt Queue.Arn, ScalingConfig: { MaximumConcurrency: 5 }, Batchsize: 1, KmsKeyArn: k }
`;
    const { orders: _orders, ...mappings } = specs(text);
    assert.deepEqual(mappings, {
      OrdersRecords: {
        functionName: "orders:live",
        eventSourceArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
        startingPosition: "TRIM_HORIZON",
        batchSize: 50,
        enabled: false,
        parallelizationFactor: 2,
        destinationConfig: {
          onFailure: { destination: "arn:aws:sqs:eu-west-1:123456789012:shop-Queue.fifo" },
        },
      },
      OrdersMessages: {
        functionName: "orders:live",
        eventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:shop-Queue.fifo",
        scalingConfig: { maximumConcurrency: 5 },
        batchSize: 1,
      },
    });
    assert.ok(
      told(read(text)).some((line) =>
        line.includes("Orders.Events.Messages.KmsKeyArn: The property has no effect here"),
      ),
    );
  });

  test("of sources that the template makes are kept here when the caller wants it", () => {
    const text = `Resources:
  Stream: { Type: AWS::Kinesis::Stream, Properties: { Name: orders } }
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: mail } }
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      Events:
        Records: { Type: Kinesis, Properties: { Stream: !GetAtt Stream.Arn, StartingPosition: LATEST } }
        Messages: { Type: SQS, Properties: { Queue: !GetAtt Queue.Arn } }
`;
    const { Orders: _orders, ...mappings } = specs(text, {
      isEmbedding: true,
      endpoints: { LOCAL_FILE: ["/s.db"] },
    });
    assert.deepEqual(mappings, {
      OrdersRecords: {
        functionName: "Orders",
        eventSourceArn: "arn:aws:local:eu-west-1:123456789012:stream/orders",
        startingPosition: "LATEST",
        endpoints: { LOCAL_FILE: ["/s.db"] },
      },
      OrdersMessages: {
        functionName: "Orders",
        eventSourceArn: "arn:aws:local:eu-west-1:123456789012:queue/mail",
        endpoints: { LOCAL_FILE: ["/s.db"] },
      },
    });
  });

  test("of a broker are refused where the caller has endpoints of two kinds of brokers", () => {
    const text = `Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      Events:
        Mail: { Type: MQ, Properties: { Broker: arn:aws:mq:eu-west-1:123456789012:broker:b:b-1, Queues: [mail] } }
`;
    const endpoints = {
      ACTIVEMQ_ENDPOINTS: ["amqps://a.example.com"],
      RABBITMQ_ENDPOINTS: ["amqps://r.example.com"],
    };
    const lines = told(read(text, { endpoints }));
    assert.match(
      lines.join("\n"),
      /Orders\.Events\.Mail: There are endpoints of .* and .*the ARN does not tell/,
    );
    const { RABBITMQ_ENDPOINTS } = endpoints;
    assert.deepEqual(told(read(text, { endpoints: { RABBITMQ_ENDPOINTS } })), []);
  });

  test("without a source, or without a type, are told", () => {
    const events = "      Events: { A: { Type: SQS, Properties: {} }, B: {} }\n";
    const text = `Resources:\n  Orders:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: nodejs24.x\n      Handler: a.b\n${events}`;
    assert.deepEqual(
      told(read(text)).map((line) => line.replace(/^t\.yaml:\d+:\d+: /, "")),
      [
        "The event Orders.Events.A names no source. Give its stream, queue or cluster.",
        "The event Orders.Events.B has no Type. Give its Type, such as Schedule.",
      ],
    );
  });
});

test("plain resources of Lambda say what SAM's events and aliases say", () => {
  const text = `Resources:
${FUNCTION}  Live: { Type: AWS::Lambda::Alias, Properties: { FunctionName: !Ref Orders, FunctionVersion: !GetAtt V.Version, Name: live } }
  V: { Type: AWS::Lambda::Version, Properties: { FunctionName: !GetAtt Orders.Arn } }
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Sub "\${Orders.Arn}:live"
      EventSourceArn: arn:aws:sqs:eu-west-1:123456789012:q
      FunctionResponseTypes: [ReportBatchItemFailures]
`;
  assert.deepEqual(specs(text), {
    Orders: {
      runtime: "nodejs24.x",
      handler: "index.handler",
      code: "./orders",
      aliases: { live: { version: "$LATEST" } },
    },
    Mapping: {
      functionName: "Orders:live",
      eventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:q",
      functionResponseTypes: ["ReportBatchItemFailures"],
    },
  });
});

test("a template in JSON is read as one in YAML", () => {
  const template = {
    Resources: {
      Orders: {
        Type: "AWS::Serverless::Function",
        Properties: {
          Runtime: { "Fn::Join": ["", ["nodejs", { Ref: "V" }, ".x"]] },
          Handler: "a.b",
          Timeout: { Ref: "T" },
        },
      },
    },
    Parameters: { V: { Type: "String", Default: "24" }, T: { Type: "Number", Default: 7 } },
  };
  for (const space of [undefined, 2, "\t"]) {
    const { resources, faults } = read(JSON.stringify(template, null, space));
    assert.deepEqual(faults, []);
    assert.deepEqual(
      resources.map(manifestOf).map(({ spec }) => spec),
      [{ runtime: "nodejs24.x", handler: "a.b", code: ".", timeoutSeconds: 7 }],
    );
  }
});

test("resources on a condition that does not hold are not there, and say nothing", () => {
  const text = `Conditions: { Never: !Equals [a, b] }\nResources:
  Gone: { Type: AWS::Lambda::Function, Condition: Never, Properties: { Handler: !Ref Nobody } }
  Table: { Type: AWS::DynamoDB::Table, Condition: Never }
`;
  assert.deepEqual([read(text).resources, told(read(text))], [[], []]);
});

test("a name is made of the stack's, and partitions are those of the region", () => {
  const text = `Resources:\n  Q: { Type: AWS::SQS::Queue }\n${FUNCTION}      \n  M:
    Type: AWS::Lambda::EventSourceMapping
    Properties: { FunctionName: Orders, EventSourceArn: !GetAtt Q.Arn }
`;
  const place = { ...OPTIONS.place, region: "cn-north-1" };
  const { M } = specs(text, { place, stackName: "mine" }) as Record<string, { eventSourceArn: string }>;
  assert.equal(M?.eventSourceArn, "arn:aws-cn:sqs:cn-north-1:123456789012:mine-Q");
});

test("plain rules and schedules call the functions among their targets, and what else they have is one remark", () => {
  const text = `Resources:
${FUNCTION}  Nightly:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(1 day)
      State: DISABLED
      Targets:
        - { Id: fn, Arn: !GetAtt Orders.Arn, Input: '{"a":1}' }
        - { Id: queue, Arn: "arn:aws:sqs:eu-west-1:123456789012:jobs" }
  Hourly:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: hourly
      ScheduleExpression: rate(1 hour)
      FlexibleTimeWindow: { Mode: "OFF" }
      Target: { Arn: !GetAtt Orders.Arn, RoleArn: "arn:aws:iam::123456789012:role/r" }
`;
  const { Nightly, hourly } = specs(text);
  assert.deepEqual(Nightly, {
    scheduleExpression: "rate(1 day)",
    state: "DISABLED",
    targets: [{ id: "fn", arn: "Orders", input: '{"a":1}' }],
  });
  assert.deepEqual(hourly, {
    scheduleExpression: "rate(1 hour)",
    flexibleTimeWindow: { mode: "OFF" },
    target: { arn: "Orders", roleArn: "arn:aws:iam::123456789012:role/r" },
  });
  assert.equal(read(text).remarks.filter(({ message }) => message.startsWith("A target")).length, 1);
});

test("an API that asks for AWS's signatures is a route that does, and its stage has its variables", () => {
  const text = `Resources:
  Api: { Type: AWS::Serverless::HttpApi, Properties: { StageName: v1, StageVariables: { color: blue }, Auth: { DefaultAuthorizer: AWS_IAM } } }
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      Events:
        Open: { Type: HttpApi, Properties: { Path: /open, Method: get } }
        Signed: { Type: Api, Properties: { Path: /signed, Method: get, Auth: { Authorizer: AWS_IAM } } }
        All: { Type: HttpApi, Properties: { ApiId: !Ref Api, Path: /all, Method: any } }
        Own: { Type: Api, Properties: { Path: /own, Method: get, Auth: { Authorizer: MyOwn } } }
`;
  const { OrdersOpen, OrdersSigned, OrdersAll, OrdersOwn } = specs(text) as Record<
    string,
    Readonly<Record<string, unknown>>
  >;
  assert.deepEqual(
    [OrdersOpen, OrdersSigned, OrdersAll, OrdersOwn].map((route) => route?.["authType"]),
    [undefined, "AWS_IAM", "AWS_IAM", undefined],
  );
  assert.deepEqual([OrdersAll?.["stage"], OrdersAll?.["stageVariables"]], ["v1", { color: "blue" }]);
  const told = read(text).remarks.filter(({ message }) => message.startsWith("Authorizers"));
  assert.deepEqual(
    told.map(({ field }) => field),
    ["Orders.Events.Own"],
  );
});

test("what others push is told with the door that takes it here", () => {
  const text = `Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      AutoPublishAlias: live
      Events:
        Image: { Type: S3, Properties: { Bucket: images, Events: "s3:ObjectCreated:*" } }
        Topic: { Type: SNS, Properties: { Topic: "arn:aws:sns:eu-west-1:123456789012:orders" } }
`;
  const [image, topic] = read(text).remarks;
  assert.match(image?.remedy ?? "", /POST \/millrace\/v1\/s3\/Orders:live$/);
  assert.match(topic?.remedy ?? "", /--sns Orders:live=ARN/);
});
