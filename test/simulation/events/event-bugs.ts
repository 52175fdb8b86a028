import type { Patch } from "../planted/planted-bug.ts";

/** A bug of asynchronous events that this simulation must see. */
export interface EventBug {
  readonly name: string;
  /** A violation of any of these must be seen. */
  readonly breaks: readonly string[];
  readonly patches: readonly Patch[];
}

export const EVENT_BUGS: readonly EventBug[] = [
  bug("what an event ends in is put behind its end", ["I31"], {
    at: "what-an-event-ends-in-is-put-behind-its-end",
    instead:
      "const end = await change(() => queue.finish(item, []));\nif (end !== 'lost') await queue.put(next).catch(() => undefined);",
  }),
  bug("what an event ends in is put before its end", ["I32"], {
    at: "what-an-event-ends-in-is-put-before-its-end",
    instead:
      "await queue.put(next).catch(() => undefined);\nconst end = await change(() => queue.finish(item, []));",
  }),
  bug("a delivery that was accepted is not finished", ["I31", "I32"], {
    at: "a-delivery-that-was-accepted-is-not-finished",
    instead: "void queue;",
  }),
  bug("a delivery that is dropped is not told", ["I31"], {
    at: "a-delivery-that-is-dropped-is-not-told",
    instead: "",
  }),
  bug("an end whose answer was lost is not told", ["I31"], {
    at: "an-end-whose-answer-was-lost-is-not-told",
    instead: 'if (answer === "lost") return answer;',
  }),
  bug("an end is not told when the hold is over before its answer", ["I31"], {
    at: "an-end-is-not-told-when-the-hold-is-over-before-its-answer",
    instead: 'if (!items.isHeld(held)) return "lost";',
  }),
  bug("with an OnFailure destination the dead-letter queue gets nothing", ["I31"], {
    at: "with-an-on-failure-destination-the-dead-letter-queue-gets-nothing",
    instead:
      "const deadLetters = config.onFailure === undefined ? [...new Set([deadLetter, policy?.deadLetterTarget])] : [];",
  }),
  bug("an event starts after its hold has ended", ["I32"], {
    at: "an-event-starts-after-its-hold-has-ended",
    instead: "void held;\nreturn !stopping.aborted && !this.#wasAged;",
  }),
  bug("holds of events are not prolonged", ["I32", "I33"], {
    at: "holds-of-events-are-not-prolonged",
    instead: "void bySpan;",
  }),
  bug("the request id of an event is renewed", ["I33"], {
    at: "the-request-id-of-an-event-is-renewed",
    instead: "requestId: this.#parts.random.uuid(),",
  }),
  bug("the settings of an event are read once", ["I31", "I33", "I34"], {
    at: "the-settings-of-an-event-are-read-once",
    instead:
      "const { delayMs } = ending;\nconst { maximumRetryAttempts = 2, maximumEventAgeSeconds = 21_600 } = config;\nconst state = { ...ending.state, policy: { maximumRetryAttempts, maximumEventAgeSeconds } };",
  }),
  bug("a retry keeps the state of before", ["I31", "I33"], {
    at: "a-retry-keeps-the-state-of-before",
    instead: "await change(() => queue.retry(item, this.#state, delayMs));\nvoid state;",
  }),
  bug("an event has one retry too many", ["I33"], {
    at: "one-retry-of-an-event-too-many",
    instead: 'if (errors > retriesOf(config) + 1) return giveUp("RetriesExhausted", failed, result.last);',
  }),
  bug("a throttle of an event counts as an error", ["I33"], {
    at: "a-throttle-of-an-event-counts-as-an-error",
    instead: "state = { ...state, functionErrors: state.functionErrors + 1 };",
    lines: 0,
  }),
  bug("the second retry comes as soon as the first", ["I34"], {
    at: "the-second-retry-comes-as-soon-as-the-first",
    instead: "return errors > 0 ? ERROR_PAUSE_MS : 0;",
  }),
  bug("zero concurrency is tried again and again", ["I35"], {
    at: "an-event-of-zero-concurrency-goes-to-the-door",
    instead: "if (fn?.isZero === true) return this.#heldBack(429, 'Rate Exceeded.');",
  }),
  bug(
    "a function that reserves nothing is tried",
    ["I35"],
    {
      at: "an-event-of-zero-concurrency-goes-to-the-door",
      instead: "",
    },
    { at: "a-function-that-reserves-nothing-is-tried", instead: "return undefined;" },
    {
      at: "one-invocation-more-than-the-functions-concurrency",
      instead: "",
      lines: 0,
    },
  ),
  bug("a chain of events is never cut", ["I35"], {
    at: "a-chain-of-events-is-never-cut",
    instead: "lineage: undefined,",
  }),
  bug("a full queue takes more", ["I36"], { at: "a-full-queue-takes-more", instead: "" }),
  bug("a function that stalls takes all places", ["I36"], {
    at: "a-function-that-stalls-takes-all-places",
    instead: "if (isFull) return undefined;",
  }),
];

function bug(name: string, breaks: readonly string[], ...patches: readonly Patch[]): EventBug {
  return { name, breaks, patches };
}
