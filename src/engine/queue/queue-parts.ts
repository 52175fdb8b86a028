import type { MappingDoor } from "../../invocation/mapping-door.ts";
import type { LeaseBook } from "../../leases/lease-book.ts";
import { RepeatedLines } from "../../lib/repeated-lines.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ProgressStore } from "../../ports/progress-store.ts";
import type { QueueMessage } from "../../ports/queue-source.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Tracing } from "../../ports/tracing.ts";
import { ByteBudget } from "../budget.ts";
import type { QueueDeployment } from "../engine.ts";
import { FailureLog } from "../invoke/failure-log.ts";
import type { EngineSettings } from "../settings.ts";
import { SourceProblems } from "../stream/source-problems.ts";
import { queueSubject } from "../trace/trace-subject.ts";
import { Tracer } from "../trace/tracer.ts";
import { BatchPlaces } from "./batch-places.ts";
import { BatchScaling } from "./batch-scaling.ts";
import { BatchingWindow } from "./batching-window.ts";
import { GivenUpLog } from "./given-up-log.ts";
import { HoldKeeper } from "./hold-keeper.ts";
import { HoldLength } from "./hold-length.ts";
import { MessageBuffer } from "./message-buffer.ts";
import { MessageLedger } from "./message-ledger.ts";
import { MessageSettlement } from "./message-settlement.ts";
import type { Hold } from "./open-receive.ts";
import { QueueDrain } from "./queue-drain.ts";
import { ReceiveRoom } from "./receive-room.ts";
import { Receiver } from "./receiver.ts";
import { RunningBatches, type RunningBatchesOptions } from "./running-batches.ts";
import { RunningWork } from "./running-work.ts";
import { Settler } from "./settler.ts";
import { TenantBuffer } from "./tenant-buffer.ts";
import type { WaitingMessages } from "./waiting-messages.ts";

export interface QueueWorkerOptions {
  readonly deployment: QueueDeployment;
  readonly owner: string;
  /** What was seen of the leases that the mapping's maximum is cut into. */
  readonly book: LeaseBook;
  readonly store: ProgressStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly tracing?: Tracing | undefined;
  readonly settings: EngineSettings;
  readonly processBudget: ByteBudget;
  readonly invoker: MappingDoor;
  /** The function's time-out: what a hold must outlast. */
  readonly functionTimeoutMs: number;
}

/** What the parts of a worker call it for. */
export interface QueueHub {
  onReceived(messages: readonly QueueMessage[], hold: Hold, adoptedMax: number): void;
  /** `false`: messages wait, and it is time that they go where there is a place. */
  onPlaces(mayWait: boolean): void;
  /** Something has ended, or its moment has come: more may start. */
  onReady(): void;
  /** What is in hand is more or less than it was. */
  onAmount(): void;
  onDefect(error: unknown): void;
  isStopNear(): boolean;
}

export interface QueueParts {
  readonly drain: QueueDrain;
  readonly work: RunningWork;
  readonly places: BatchPlaces;
  readonly ledger: MessageLedger;
  readonly settlement: MessageSettlement;
  readonly room: ReceiveRoom;
  readonly receiver: Receiver;
  readonly window: BatchingWindow;
  readonly batches: RunningBatches;
  readonly failures: FailureLog;
  /** What the queue itself answers. */
  readonly problems: SourceProblems;
}

/** Makes the parts of a queue's worker and joins them. Nothing runs yet. */
export function assembleQueue(options: QueueWorkerOptions, hub: QueueHub): QueueParts {
  const { deployment, clock, random, telemetry, settings } = options;
  const { mapping, source } = deployment;
  const { name } = mapping;
  const drain = new QueueDrain(name, clock, telemetry);
  const { stopSignal, callSignal } = drain;
  const onEnd = () => {
    hub.onAmount();
    hub.onReady();
  };
  const onDefect = (error: unknown) => hub.onDefect(error);
  const work = new RunningWork({ onDefect, onEnd });
  const holdLength = new HoldLength({ ...options, mapping, source });
  const scaling = new BatchScaling(mapping, clock.monotonic());
  const problems = new SourceProblems();
  const places = new BatchPlaces({
    ...options,
    mapping,
    problems,
    scaling,
    running: () => batches.size,
    isEmptyHanded: () => ledger.buffer.size === 0 && receiver.running === 0,
    onChange: (mayWait) => hub.onPlaces(mayWait),
    patienceMs: () => Math.min(settings.leaseDurationMs, holdLength.ms / 2),
  });
  const budget = new ByteBudget(settings.mappingBudgetBytes, options.processBudget, name);
  const { payloadBytesMax } = settings;
  const buffer = waitingMessages(options);
  const lines = new RepeatedLines(clock, telemetry);
  const holdMs = () => holdLength.ms;
  const common = { mapping: name, source, clock, random, telemetry, lines, limits: settings, holdMs };
  const holds = new HoldKeeper({ ...common, onLost: (lost) => settlement.lose(lost), onDefect });
  const ledger = new MessageLedger({ buffer, holds, budget });
  const settler = new Settler({
    ...{ ...common, problems },
    onAnswered: (answered) => ledger.unhold(answered),
    signal: callSignal,
  });
  const failures = new FailureLog(name, clock, telemetry);
  const givenUp = new GivenUpLog(name, clock, telemetry);
  const settlement = new MessageSettlement({
    ...{ ...common, ledger, settler, givenUp, work },
    isOver: () => drain.isOver,
    untilBackMs: () => receiver.untilBackMs,
    onLess: () => hub.onAmount(),
  });
  const room = new ReceiveRoom({ mapping, source, ledger, budget, telemetry, payloadBytesMax });
  const receiver = new Receiver({
    ...{ ...common, problems, scaling, signal: stopSignal, onDefect },
    isShut: () => options.invoker.shut(mapping.functionArn) !== undefined,
    room: (underWay) => room.of(underWay, places.forNew, batches.size),
    isHasty: () => hub.isStopNear() || places.areHandedOver,
    hiddenUntilMs: () => settlement.leftUntilMs,
    onReceived: (messages, hold, adoptedMax) => hub.onReceived(messages, hold, adoptedMax),
    onReady: () => hub.onReady(),
  });
  const { batchingWindowMs: windowMs } = mapping;
  const window = new BatchingWindow({
    windowMs,
    buffer,
    budget,
    clock,
    stopSignal,
    onDue: () => hub.onReady(),
  });
  const batches = new RunningBatches({
    ...{ telemetry, ledger, settlement, window, places, scaling, work },
    context: contextOf(options, { drain, scaling, failures, givenUp, settlement }),
    hasMore: () => room.isOrdered && !receiver.isDry,
    split: () => options.invoker.split(mapping.functionArn),
  });
  return { drain, work, places, ledger, settlement, room, receiver, window, batches, failures, problems };
}

function waitingMessages({ deployment, clock, telemetry, settings }: QueueWorkerOptions): WaitingMessages {
  const { mapping, source } = deployment;
  const { batchSize, tenant, name } = mapping;
  const { payloadBytesMax } = settings;
  const { envelopeBytes } = source.events;
  const limits = { batchSize, payloadBytesMax, envelopeBytes };
  if (tenant === undefined) return new MessageBuffer(limits);
  return new TenantBuffer({ ...limits, tenant, mapping: name, events: source.events, clock, telemetry });
}

interface ContextParts extends Pick<QueueParts, "drain" | "failures" | "settlement"> {
  readonly scaling: BatchScaling;
  readonly givenUp: GivenUpLog;
}

/** What all batches of the mapping have in common. */
function contextOf(
  options: QueueWorkerOptions,
  { drain, scaling, failures, givenUp, settlement }: ContextParts,
): RunningBatchesOptions["context"] {
  const { deployment, clock, random, telemetry, tracing, settings, invoker } = options;
  const { mapping, source } = deployment;
  const subject = queueSubject(mapping, source.description);
  return {
    ...{ mapping, source, settings, clock, random, telemetry, invoker },
    tracer: tracing && new Tracer({ tracing, clock, random, subject }),
    caller: { kind: "mapping", key: mapping.name },
    endSignal: drain.endSignal,
    isOver: () => drain.isOver,
    callSignal: drain.callSignal,
    slowDown: () => {
      if (scaling.failed(clock.monotonic())) telemetry.mark("batches at once halved");
    },
    report: (problem, where) => failures.report(problem, where),
    giveUp: (broken, error) => givenUp.damaged(broken, error),
    acknowledge: (done) => settlement.acknowledgeEarly(done),
  };
}
