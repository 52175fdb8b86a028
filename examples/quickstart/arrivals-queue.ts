import { openLocalQueue, type StreamFile } from "../../connectors/local/stream-file.ts";
import { cutOff, readFlights } from "./data-set.ts";

export const QUEUE_NAME = "arrivals.fifo";
const DEAD_LETTER_QUEUE_NAME = "arrivals-dead.fifo";
const ARRIVALS = 2_000;

/**
 * The airport whose last arrival is cut off: Minot, whose two arrivals come early, so that the others have work while
 * the second is tried again. Nothing comes behind it in its group: what is received with a poison, behind it, is
 * received again with it, and follows it into the dead-letter queue, as on SQS.
 */
const POISON_GROUP = "MOT";

/** Short, to be done soon: the poison takes three of them. No shorter than the function's time-out, as it must be. */
const VISIBILITY_MS = 2_000;
export const RECEIVE_COUNT_MAX = 3;

/** A message of the queue, as it is sent. */
export interface Arrival {
  /** Airport of arrival. */
  readonly groupId: string;
  /** Place in the whole queue: what the function is to see in order within each group. */
  readonly place: number;
  readonly body: string;
  readonly isPoison: boolean;
}

export function createArrivalsQueue(file: StreamFile): void {
  file.createQueue({ name: DEAD_LETTER_QUEUE_NAME });
  const queue = file.createQueue({
    name: QUEUE_NAME,
    visibilityMs: VISIBILITY_MS,
    redrive: { deadLetterQueue: DEAD_LETTER_QUEUE_NAME, maxReceiveCount: RECEIVE_COUNT_MAX },
  });
  queue.send(listArrivals().map(({ groupId, body }) => ({ groupId, body })));
}

/** All messages, in the order in which they were sent: what the function and the queues are to be compared with. */
export function listArrivals(): readonly Arrival[] {
  const flights = readFlights().slice(0, ARRIVALS);
  const poisonPlace = flights.findLastIndex(({ destination }) => destination === POISON_GROUP);
  return flights.map((flight, place) => {
    const text = JSON.stringify({ place, ...flight });
    const isPoison = place === poisonPlace;
    return { groupId: flight.destination, place, body: isPoison ? cutOff(text) : text, isPoison };
  });
}

/** Bodies of the messages that were given up. */
export function readDeadLetters(path: string): readonly string[] {
  return readBodies(path, DEAD_LETTER_QUEUE_NAME);
}

/** Bodies of the messages that are on the queue still, hidden ones too. */
export function readWaiting(path: string): readonly string[] {
  return readBodies(path, QUEUE_NAME);
}

function readBodies(path: string, name: string): readonly string[] {
  const queue = openLocalQueue(path, name);
  try {
    return queue.peek(ARRIVALS).map(({ body }) => body);
  } finally {
    queue.close();
  }
}
