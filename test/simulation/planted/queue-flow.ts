import { bug, type PlantedBug } from "./planted-bug.ts";

/** Order and progress of FIFO groups. */
export const QUEUE_GROUP_BUGS: readonly PlantedBug[] = [
  bug("two batches of a group run at once", ["I8", "I2"], {
    at: "two-batches-of-a-group-run-at-once",
    instead: "if (groupId !== undefined && passed.has(groupId)) continue;",
  }),
  bug("a group stays busy after its batch", ["I16"], {
    at: "a-group-stays-busy-after-its-batch",
    instead: "for (const { message } of batch) if (message.groupId !== undefined) void message;",
  }),
  bug("one busy group holds up all others", ["I11"], {
    at: "one-busy-group-holds-up-all-others",
    instead: "if (this.isOrdered) return runningBatches > 0 ? 0 : this.#ofOneBatch(free - receives);",
  }),
  bug("a later message of a group is acknowledged behind a listed failure", ["I8"], {
    at: "a-later-message-of-a-group-is-acknowledged-behind-a-listed-failure",
    instead: "if (groupId !== undefined && isStrict) failedGroups.add(groupId);",
  }),
  bug("what waits behind a failure overtakes it", ["I2", "I8"], {
    at: "what-waits-behind-a-failure-overtakes-it",
    instead: "const behind = failedGroups.size >= 0 ? [] : ledger.buffer.takeGroups(failedGroups);",
  }),
  bug("what waits behind a lost message overtakes it", ["I2", "I8"], {
    at: "what-waits-behind-a-lost-message-overtakes-it",
    instead: "const behind = ledger.buffer.takeGroups(new Set());",
  }),
  bug("the simulated queue gives messages of a held group", ["I2", "I8"], {
    at: "the-simulated-queue-gives-messages-of-a-held-group",
    instead: "",
  }),
];

/** Batches, room, scaling, retries and stop of queues. */
export const QUEUE_FLOW_BUGS: readonly PlantedBug[] = [
  bug("a batch of messages is one too large", ["I13"], {
    at: "a-batch-of-messages-is-one-too-large",
    instead: "if (batch.length > batchSize) break;",
  }),
  bug("the payload limit of messages is not exact", ["I13"], {
    at: "the-payload-limit-of-messages-is-not-exact",
    instead: "if (batch.length > 0 && withIt > payloadBytesMax * 1.1) {",
  }),
  bug("messages do not wait for their batching window", ["I13"], {
    at: "messages-do-not-wait-for-their-batching-window",
    instead: "return buffer.isFull || nowMs >= 0 || budget.room <= 0;",
  }),
  bug("messages wait for two batching windows", ["I13"], {
    at: "messages-wait-for-two-batching-windows",
    instead: "return oldestMs + 2 * windowMs;",
  }),
  bug("receiving ignores the byte budget", ["I10"], {
    at: "receiving-ignores-the-byte-budget",
    instead: "if (!holdsNothing && budget.room <= -1e12) {",
  }),
  bug("a receive needs no room while nothing waits", ["I10"], {
    at: "a-receive-needs-no-room-while-nothing-waits",
    instead: "const holdsNothing = ledger.buffer.size === 0 && expected === 0;",
  }),
  bug("receives ask for more than there are places", ["I10"], {
    at: "receives-ask-for-more-than-there-are-places",
    instead: "return Math.max(1, free) * perBatch;",
  }),
  bug("the budget of a settled batch is not freed", ["I16", "I26"], {
    at: "the-budget-of-a-settled-batch-is-not-freed",
    instead: "",
  }),
  bug("a failed receive ends the receiving", ["I16"], {
    at: "a-failed-receive-ends-the-receiving",
    instead: "",
  }),
  bug("a receiver that is woken early plans nothing", ["I16"], {
    at: "a-receiver-that-is-woken-early-plans-nothing",
    instead:
      "this.#retry = this.#options.clock.schedule(inMs, () => { if (this.#options.clock.monotonic() >= this.#retryAtMs) this.#options.onReady(); });",
  }),
  bug("batches at once grow ten times too fast", ["scaling"], {
    at: "batches-at-once-grow-ten-times-too-fast",
    instead: "this.#limit = Math.min(this.#cap, this.#limit + 10 * elapsedMs * this.#growthPerMs);",
  }),
  bug("failures do not slow a queue down", ["scaling"], {
    at: "failures-do-not-slow-a-queue-down",
    instead: "",
  }),
  bug("a failed batch of messages is tried again at once", ["I3"], {
    at: "a-failed-batch-of-messages-is-tried-again-at-once",
    instead: 'return { kind: "again", problem: "unavailable", retryAfterMs: 0, error: undefined };',
  }),
  bug("a throttled batch is let go at once", ["I3"], {
    at: "a-throttled-batch-is-let-go-at-once",
    instead: "if (pauseMs >= 0) {",
  }),
  bug("a throttled batch is tried for ever", ["I3"], {
    at: "a-throttled-batch-is-tried-for-ever",
    instead: "untilMs = Math.min(...batch.map(({ holdUntilMs }) => holdUntilMs));",
  }),
  bug("what is kept behind a lost message overtakes it", ["I2", "I8"], {
    at: "what-is-kept-behind-a-lost-message-overtakes-it",
    instead: 'if (groupId !== "") return true;',
  }),
  bug("what is being prolonged is not given back", ["I15"], {
    at: "what-is-being-prolonged-is-not-given-back",
    instead:
      'const messages = this.#kept.flatMap(({ open }) => open.answer?.kind === "given" ? open.answer.messages : []);',
  }),
  bug("waiting messages are kept on stop", ["I15"], {
    at: "waiting-messages-are-kept-on-stop",
    instead: "const waiting = Promise.resolve();",
  }),
  bug("what a worker took up while its hold was prolonged is kept at a stop", ["I15"], {
    at: "what-a-worker-took-up-while-its-hold-was-prolonged-is-kept-at-a-stop",
    instead: "const prolonging: ReturnType<typeof receiver.letGo> = [];",
  }),
  bug(
    "batches that wait for the function start after stop",
    ["I15"],
    {
      at: "batches-that-wait-for-the-function-start-after-stop",
      instead: "mayStart: () => mayStart(context, batch, untilMs),",
    },
    { at: "batches-that-wait-for-the-function-start-after-stop-2", instead: "" },
  ),
  bug("a drain is over when its timer says so", ["I15"], {
    at: "a-drain-is-over-when-its-timer-says-so",
    instead: "return this.#end.signal.aborted;",
  }),
  bug("a queue's stop does not wait for what runs", ["I15", "I7"], {
    at: "a-queues-stop-does-not-wait-for-what-runs",
    instead: "await sleepUnless(drained, clock, 0 * startsMs);",
  }),
  bug("a thing that is thrown and has no text stops the mapping", ["I18"], {
    at: "a-thing-that-is-thrown-and-has-no-text-stops-the-mapping",
    instead: "throw error;",
  }),
];
