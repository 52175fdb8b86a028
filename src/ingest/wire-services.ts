import type { EmbeddedBooks } from "../control/embedded/embedded-book.ts";
import type { Operation } from "./operation.ts";
import { type FaultWords, ProducerFault } from "./producer-fault.ts";
import { noSuchQueue } from "./queue-fault.ts";
import { queueOperations } from "./queue-operations.ts";
import { streamOperations } from "./stream-operations.ts";

/** A service whose producers are served. */
export interface WireService {
  /** Before the dot of `X-Amz-Target`. */
  readonly target: string;
  readonly contentType: string;
  readonly bodyBytesMax: number;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly words: FaultWords;
  /** Who asks for something else. */
  unserved(operation: string): ProducerFault;
}

const MIB = 1024 * 1024;

/** `books` throws while nothing is open yet. */
export function wireServices(books: () => EmbeddedBooks): readonly WireService[] {
  const streams = streamOperations(() => books().streams);
  const queues = queueOperations(() => books().queues);
  return [
    {
      target: "Kinesis_20131202",
      contentType: "application/x-amz-json-1.1",
      // 10 MiB of data and keys, in Base64.
      bodyBytesMax: 16 * MIB,
      operations: streams,
      words: {
        throttled: "ProvisionedThroughputExceededException",
        notThere: (message) => new ProducerFault("ResourceNotFoundException", message),
        invalid: "InvalidArgumentException",
        internal: "InternalFailure",
      },
      unserved: (operation) =>
        new ProducerFault("UnknownOperationException", unservedText(operation, "stream", streams)),
    },
    {
      target: "AmazonSQS",
      contentType: "application/x-amz-json-1.0",
      // 1 MiB of bodies, most of it written as escapes.
      bodyBytesMax: 8 * MIB,
      operations: queues,
      words: {
        throttled: "RequestThrottled",
        notThere: noSuchQueue,
        invalid: "InvalidParameterValue",
        internal: "InternalFailure",
      },
      unserved: (operation) =>
        new ProducerFault("UnsupportedOperation", unservedText(operation, "queue", queues), {
          queryCode: "AWS.SimpleQueueService.UnsupportedOperation",
        }),
    },
  ];
}

function unservedText(operation: string, noun: string, served: Readonly<Record<string, Operation>>): string {
  return (
    `millrace does not serve ${operation.slice(0, 60)}. It serves producers: ${Object.keys(served).join(", ")}. ` +
    `A mapping reads the ${noun} with eventSourceArn arn:aws:local:REGION:ACCOUNT:${noun}/NAME.`
  );
}
