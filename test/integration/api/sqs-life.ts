import { ACCOUNT, type AwsEmulator, REGION } from "../../servers/aws-emulator.ts";
import type { LifeSource } from "./mapping-life.ts";

/** The emulator gives what is sent next to a receive that was cut off by a stop: it comes again after this time. */
const VISIBILITY_SECONDS = 5;

/** A new queue of the emulator. */
export async function createQueueLife(emulator: AwsEmulator): Promise<LifeSource> {
  const name = emulator.freshName();
  await emulator.createQueue(name, { VisibilityTimeout: String(VISIBILITY_SECONDS) });
  const arn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
  return {
    members: { EventSourceArn: arn },
    stateTransitionReason: "USER_INITIATED",
    isStream: false,
    existing: `An event source mapping with SQS arn (" ${arn} ") and function (" orders ") already exists.`,
    missing: {
      members: { EventSourceArn: `${arn}-missing` },
      message:
        /^Error occurred while ReceiveMessage\. SQS Error Code: AWS\.SimpleQueueService\.NonExistentQueue\./,
    },
    functionTimeoutSeconds: VISIBILITY_SECONDS,
    send: (data) => emulator.send(name, [data]),
  };
}
