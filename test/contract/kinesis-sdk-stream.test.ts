/** The contract of `kinesis-stream.test.ts` once more, with the AWS SDK, as after `--aws-read-path sdk`. */
import { chooseReadPath } from "../../src/aws/read-path.ts";

chooseReadPath("sdk");
await import("./kinesis-stream.test.ts");
