/** The contract of `sqs-queue.test.ts` once more, with the AWS SDK on the way that `--aws-read-path sdk` goes back to. */
import { chooseReadPath } from "../../src/aws/read-path.ts";

chooseReadPath("sdk");
await import("./sqs-queue.test.ts");
