import { bug, type PlantedBug, QUEUE } from "./planted-bug.ts";

/** Order and progress of FIFO groups. */
export const QUEUE_GROUP_BUGS: readonly PlantedBug[] = [
  bug("two batches of a group run at once", ["I8", "I2"], {
    file: `${QUEUE}/message-buffer.ts`,
    find: "(this.#busy.has(groupId) || passed.has(groupId))",
    replace: "passed.has(groupId)",
  }),
  bug("a group stays busy after its batch", ["I16"], {
    file: `${QUEUE}/message-buffer.ts`,
    find: "this.#busy.delete(message.groupId);",
    replace: "void message;",
  }),
  bug("one busy group holds up all others", ["I11"], {
    file: `${QUEUE}/receive-room.ts`,
    find: "if (this.isOrdered) return this.#ofOneBatch(free - receives);",
    replace: "if (this.isOrdered) return runningBatches > 0 ? 0 : this.#ofOneBatch(free - receives);",
  }),
  bug("a later message of a group is acknowledged behind a listed failure", ["I8"], {
    file: `${QUEUE}/queue-batch-run.ts`,
    find: "if (groupId !== undefined && !isStrict) failedGroups.add(groupId);",
    replace: "if (groupId !== undefined && isStrict) failedGroups.add(groupId);",
  }),
  bug("what waits behind a failure overtakes it", ["I2", "I8"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "const behind = failedGroups.size === 0 ? []",
    replace: "const behind = failedGroups.size >= 0 ? []",
  }),
  bug("what waits behind a lost message overtakes it", ["I2", "I8"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "this.#buffer.takeGroups(new Set(dropped.flatMap(({ message }) => message.groupId ?? [])));",
    replace: "this.#buffer.takeGroups(new Set());",
  }),
  bug("the simulated queue gives messages of a held group", ["I2", "I8"], {
    file: "test/simulation/world/queue.ts",
    find: "if (isHeld && isFifo) blocked.add(message.groupId);",
    replace: "",
  }),
];

/** Batches, room, scaling, retries and stop of queues. */
export const QUEUE_FLOW_BUGS: readonly PlantedBug[] = [
  bug("a batch of messages is one too large", ["I13"], {
    file: `${QUEUE}/message-buffer.ts`,
    find: "if (batch.length >= batchSize) break;",
    replace: "if (batch.length > batchSize) break;",
  }),
  bug("the payload limit of messages is not exact", ["I13"], {
    file: `${QUEUE}/message-buffer.ts`,
    find: "if (batch.length > 0 && withIt > payloadBytesMax) {",
    replace: "if (batch.length > 0 && withIt > payloadBytesMax * 1.1) {",
  }),
  bug("messages do not wait for their batching window", ["I13"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "nowMs >= this.#flushAtMs ||",
    replace: "nowMs >= 0 ||",
  }),
  bug("messages wait for two batching windows", ["I13"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "return oldestMs + this.#options.deployment.mapping.batchingWindowMs;",
    replace: "return oldestMs + 2 * this.#options.deployment.mapping.batchingWindowMs;",
  }),
  bug("receiving ignores the byte budget", ["I10"], {
    file: `${QUEUE}/receive-room.ts`,
    find: "if (!holdsNothing && budget.room <= 0) {",
    replace: "if (!holdsNothing && budget.room <= -1e12) {",
  }),
  bug("a receive needs no room while nothing waits", ["I10"], {
    file: `${QUEUE}/receive-room.ts`,
    find: "const holdsNothing = ledger.bytes === 0 &&",
    replace: "const holdsNothing = ledger.buffer.size === 0 &&",
  }),
  bug("receives ask for more than there are places", ["I10"], {
    file: `${QUEUE}/receive-room.ts`,
    find: "return Math.max(1, free) * perBatch - inHand;",
    replace: "return Math.max(1, free) * perBatch;",
  }),
  bug("the budget of a settled batch is not freed", ["I16", "I26"], {
    file: `${QUEUE}/message-ledger.ts`,
    find: "this.#budget.release(each.message.bytes);",
    replace: "",
  }),
  bug("a failed receive ends the receiving", ["I16"], {
    file: `${QUEUE}/receiver.ts`,
    find: "this.#planRetry(untilRetryMs);",
    replace: "",
  }),
  bug("a receiver that is woken early plans nothing", ["I16"], {
    file: `${QUEUE}/receiver.ts`,
    find: "this.#retry = this.#options.clock.schedule(inMs, () => this.#options.onReady());",
    replace:
      "this.#retry = this.#options.clock.schedule(inMs, () => { if (this.#options.clock.monotonic() >= this.#retryAtMs) this.#options.onReady(); });",
  }),
  bug("batches at once grow ten times too fast", ["scaling"], {
    file: `${QUEUE}/batch-scaling.ts`,
    find: "this.#limit + elapsedMs * this.#growthPerMs",
    replace: "this.#limit + 10 * elapsedMs * this.#growthPerMs",
  }),
  bug("failures do not slow a queue down", ["scaling"], {
    file: `${QUEUE}/batch-scaling.ts`,
    find: "this.#limit = Math.max(this.#floor, this.#limit / 2);",
    replace: "",
  }),
  bug("a failed batch of messages is tried again at once", ["I3"], {
    file: `${QUEUE}/queue-batch-run.ts`,
    find: 'if (outcome.kind !== "throttled" && outcome.kind !== "unavailable")',
    replace:
      'if (outcome.kind !== "throttled" && outcome.kind !== "unavailable" && outcome.kind !== "timedOut")',
  }),
  bug("a throttled batch is let go at once", ["I3"], {
    file: `${QUEUE}/queue-batch-run.ts`,
    find: "if (pauseMs >= remainingMs) {",
    replace: "if (pauseMs >= 0) {",
  }),
  bug("a throttled batch is tried for ever", ["I3"], {
    file: `${QUEUE}/queue-batch-run.ts`,
    find: "untilMs ??= Math.min(",
    replace: "untilMs = Math.min(",
  }),
  bug("waiting messages are kept on stop", ["I15"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: 'return this.#giveBack(waiting, "the drain of a stop is over", this.#receiver.untilBackMs);',
    replace: "return Promise.resolve();",
  }),
  bug(
    "batches that wait for the function start after stop",
    ["I15"],
    {
      file: `${QUEUE}/queue-batch-run.ts`,
      find: "mayStart: () => !endSignal.aborted && mayStart(context, batch, untilMs),",
      replace: "mayStart: () => mayStart(context, batch, untilMs),",
    },
    {
      file: `${QUEUE}/queue-worker.ts`,
      find: "invoker.dismiss(name);",
      replace: "",
    },
  ),
  bug("a queue's stop does not wait for what runs", ["I15", "I7"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "await sleepUnless(drained, clock, Math.min(startsMs, drainMs));",
    replace: "await sleepUnless(drained, clock, 0 * startsMs);",
  }),
  bug("a thing that is thrown and has no text stops the mapping", ["I18"], {
    file: "src/model/errors.ts",
    find: 'return "something that is not an error was thrown";',
    replace: "throw error;",
  }),
];
