import type { QueueDescription, QueueEvents } from "../ports/queue-source.ts";
import type { Sent } from "./broker-client.ts";
import type { DeliveryCounts } from "./delivery-counts.ts";
import type { MessageOrder, SentBody } from "./sent-message.ts";

/** A queue of a broker, as its connector tells it. */
export interface SentAheadQueue<D extends Sent> {
  readonly description: QueueDescription;
  readonly queue: string;
  readonly order: MessageOrder;
  /** Nobody else may read it meanwhile; a queue that sees to that itself is read all the same. */
  readonly isExclusive: boolean;
  readonly batchSize: number;
  /** Batches at once, at most. */
  readonly batchesMax: number;
  /** Deliveries that fail before a message is given up; `undefined`: none is. */
  readonly deliveriesMax: number | undefined;
  /** How long one may wait here before all that wait go back; infinite: as long as it takes. */
  readonly ageMsMax: number;
  /** The broker takes one message back while others are sent; false: only all, when nobody reads any more. */
  readonly takesBackOne: boolean;
  /** For brokers that forget how often they sent a message. */
  readonly counts?: DeliveryCounts;
  readonly events: QueueEvents;
  toBody(delivery: D): SentBody;
  /** Why no message of this queue can be settled, told by one of them. */
  refusalOf?(delivery: D): string | undefined;
}
