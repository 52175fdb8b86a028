/** The contract of `sqs-queue.test.ts` once more, with the AWS SDK, as after `--aws-read-path sdk`. */
import { chooseReadPath } from "../../src/aws/read-path.ts";

chooseReadPath("sdk");
await import("./sqs-queue.test.ts");
