import type { QueueMapping } from "../../src/model/mapping.ts";
import type { OutcomeKind } from "../../src/model/outcome.ts";
import type { Settlement } from "../../src/ports/queue-source.ts";
import type { CounterName, GaugeName } from "../../src/ports/telemetry.ts";
import type { WeightViews } from "./history.ts";
import type { QueueScenario } from "./scenario.ts";
import type { SimProcess } from "./world/process.ts";
import type { SimQueue } from "./world/queue.ts";
import type { SimDelivery } from "./world/queue-message.ts";

/** What the queue and the function saw of one queue mapping, in the order in which it happened. */
export interface QueueHistory {
  readonly ordinal: number;
  readonly mapping: QueueMapping;
  readonly plan: QueueScenario;
  readonly queue: SimQueue;
  readonly events: QueueEvent[];
  readonly attempts: QueueAttempt[];
  /** Of its mapping, by updates: the last one holds. */
  readonly batchSizes: number[];
  readonly updates: QueueUpdate[];
  /** What each process said of itself. */
  readonly words: Map<SimProcess, QueueWords>;
  readonly views: WeightViews;
  /** The version that is called in this instant. */
  called: number | undefined;
}

export function createQueueHistory(ordinal: number, plan: QueueScenario, queue: SimQueue): QueueHistory {
  const { mapping } = plan;
  const lists = { events: [], attempts: [], batchSizes: [], updates: [] };
  return { ordinal, mapping, plan, queue, ...lists, words: new Map(), views: new Map(), called: undefined };
}

/** A process stops the mapping and begins with it again. */
export interface QueueUpdate {
  readonly process: SimProcess;
  readonly at: number;
  /** `undefined`: not yet. */
  begunAt: number | undefined;
}

export class QueueWords {
  readonly counts = new Map<CounterName, number>();
  readonly gauges = new Map<GaugeName, number>();

  count(counter: CounterName, amount: number): void {
    this.counts.set(counter, (this.counts.get(counter) ?? 0) + amount);
  }
}

/** One call of the function. */
export interface QueueAttempt {
  readonly id: number;
  readonly process: SimProcess;
  readonly deliveries: readonly SimDelivery[];
  readonly requestId: string;
  /** Of the function, where its alias brings new ones in. */
  readonly version: number | undefined;
  readonly payloadBytes: number;
  readonly startedAt: number;
  /** By the clock of the process: now, and until when it may believe in the holds of all messages. */
  readonly startedLocalMs: number;
  readonly heldUntilLocalMs: number;
  /** A message of the batch of which the process was told before that it had lost the hold. */
  readonly hasToldLost: boolean;
  ranAt: number | undefined;
  /** When the process was told an outcome; `undefined`: never. */
  toldAt: number | undefined;
  told: OutcomeKind | undefined;
  /** Messages, by place in the batch, that the function has processed for good when it ends. */
  processed: readonly boolean[];
  /** Messages that the answer settles by the rules of queues §2.2 and §2.3. */
  toldSettled: readonly boolean[];
  /** As `heldUntilLocalMs`, when the process was told. */
  toldHeldUntilLocalMs: number;
  /** Throttled or unavailable: the same batch may be tried again. */
  toldAgain: boolean;
  /** What was planned, for the story. */
  plan: string;
}

export type SettlementKind = "acknowledge" | "release" | "extend";

export type QueueEvent =
  | MappingBegun
  | QueueAttemptEvent
  | ReceiveStarted
  | ReceiveEnded
  | SettlementSent
  | SettlementApplied
  | SettlementTold;

interface Happening {
  readonly at: number;
  readonly process: SimProcess;
}

export interface QueueAttemptEvent extends Happening {
  readonly kind: "attemptStarted" | "attemptRan" | "attemptTold";
  readonly attempt: QueueAttempt;
}

export interface ReceiveStarted extends Happening {
  readonly kind: "receiveStarted";
  readonly receive: number;
  readonly messagesMax: number;
}

/** A process begins anew with the mapping, after an update. */
export interface MappingBegun extends Happening {
  readonly kind: "mappingBegun";
}

/** The process got the answer: none where the call failed. */
export interface ReceiveEnded extends Happening {
  readonly kind: "receiveEnded";
  readonly receive: number;
  readonly deliveries: readonly SimDelivery[];
}

export interface SettlementSent extends Happening {
  readonly kind: "settlementSent";
  readonly how: SettlementKind;
  readonly deliveries: readonly SimDelivery[];
  /** Of an extension or a release: until the end of the hold. */
  readonly forMs: number;
}

/** What the queue made of it, whether or not the process hears of it. */
export interface SettlementApplied extends Happening {
  readonly kind: "settlementApplied";
  readonly how: SettlementKind;
  readonly deliveries: readonly SimDelivery[];
  readonly results: readonly Settlement[];
}

export interface SettlementTold extends Happening {
  readonly kind: "settlementTold";
  readonly how: SettlementKind;
  readonly deliveries: readonly SimDelivery[];
  readonly results: readonly Settlement[];
}
