/**
 * What `Ref` and `Fn::GetAtt` of resources say in CloudFormation, where it follows from a resource's name. `${…}`
 * stands for name, region, account, cloud and the cloud's domain. What AWS makes up, such as a stream's label, is not
 * here.
 */
export interface TemplateResourceForm {
  /** The property that gives the name; without it CloudFormation makes one of the stack's and the resource's own. */
  readonly nameProperty: string;
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Names of this service have no capitals. */
  readonly isLowerCase?: true;
  /** A property that, being true, puts this behind a name that CloudFormation makes. */
  readonly suffix?: { readonly property: string; readonly text: string };
}

function named(
  nameProperty: string,
  arn: string,
  others: Readonly<Record<string, string>> = {},
): TemplateResourceForm {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a form, filled in where it is used.
  return { nameProperty, ref: "${name}", attributes: { Arn: arn, ...others } };
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are forms, filled in where they are used.
const QUEUE_ARN = "arn:${cloud}:sqs:${region}:${account}:${name}";
const QUEUE_URL = "https://sqs.${region}.${domain}/${account}/${name}";
const TOPIC_ARN = "arn:${cloud}:sns:${region}:${account}:${name}";
const MACHINE_ARN = "arn:${cloud}:states:${region}:${account}:stateMachine:${name}";
const TABLE = named("TableName", "arn:${cloud}:dynamodb:${region}:${account}:table/${name}");

export const TEMPLATE_RESOURCES: Readonly<Record<string, TemplateResourceForm>> = {
  "AWS::DynamoDB::Table": TABLE,
  "AWS::Serverless::SimpleTable": TABLE,
  "AWS::Events::EventBus": named("Name", "arn:${cloud}:events:${region}:${account}:event-bus/${name}", {
    Name: "${name}",
  }),
  "AWS::IAM::Role": named("RoleName", "arn:${cloud}:iam::${account}:role/${name}"),
  "AWS::Kinesis::Stream": named("Name", "arn:${cloud}:kinesis:${region}:${account}:stream/${name}"),
  "AWS::Logs::LogGroup": named("LogGroupName", "arn:${cloud}:logs:${region}:${account}:log-group:${name}:*"),
  "AWS::S3::Bucket": {
    ...named("BucketName", "arn:${cloud}:s3:::${name}", {
      DomainName: "${name}.s3.${domain}",
      RegionalDomainName: "${name}.s3.${region}.${domain}",
    }),
    isLowerCase: true,
  },
  "AWS::SNS::Topic": {
    nameProperty: "TopicName",
    ref: TOPIC_ARN,
    attributes: { TopicArn: TOPIC_ARN, TopicName: "${name}" },
    suffix: { property: "FifoTopic", text: ".fifo" },
  },
  "AWS::SQS::Queue": {
    nameProperty: "QueueName",
    ref: QUEUE_URL,
    attributes: { Arn: QUEUE_ARN, QueueName: "${name}", QueueUrl: QUEUE_URL },
    suffix: { property: "FifoQueue", text: ".fifo" },
  },
  "AWS::SSM::Parameter": named("Name", "arn:${cloud}:ssm:${region}:${account}:parameter${name}"),
  "AWS::StepFunctions::StateMachine": {
    nameProperty: "StateMachineName",
    ref: MACHINE_ARN,
    attributes: { Arn: MACHINE_ARN, Name: "${name}" },
  },
  "AWS::Serverless::StateMachine": {
    nameProperty: "Name",
    ref: MACHINE_ARN,
    attributes: { Arn: MACHINE_ARN, Name: "${name}" },
  },
};
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: these were forms.
