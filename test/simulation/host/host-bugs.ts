import type { Patch } from "../planted/planted-bug.ts";

/** A bug of the function host that the walk must see. */
export interface HostBug {
  readonly name: string;
  readonly breaks: readonly string[];
  readonly patches: readonly Patch[];
}

export const HOST_BUGS: readonly HostBug[] = [
  bug("an answer to a foreign id is taken", {
    at: "an-answer-to-a-foreign-id-is-taken",
    instead: "const event = state.events[0];",
  }),
  bug("the process before is heard", {
    at: "the-process-before-is-heard",
    instead: "return session !== undefined;",
  }),
  bug(
    "the timer of an answered call ends the next",
    { at: "the-timer-of-an-answered-call-ends-the-next", instead: "" },
    {
      at: "a-timer-without-a-call-ends-any",
      instead: 'if (signal.id === undefined) return to(KEPT, ...settleAll(state, "timeout"), "kill");',
    },
  ),
  bug("an environment that hung up is given calls", {
    at: "an-environment-that-hung-up-is-given-calls",
    instead: "",
  }),
  bug("the environment that rested longest is used first", {
    at: "the-environment-that-rested-longest-is-used-first",
    instead: "const environment = this.#idle.shift();",
  }),
  bug("one environment more than may be is started", {
    at: "one-environment-more-than-may-be-is-started",
    instead: "if (this.#all.size > this.#options.environmentsMax && !this.#resting.hasReset) return false;",
  }),
  bug("what does not die holds up the end", {
    at: "what-does-not-die-holds-up-the-end",
    instead: "",
  }),
  bug("bytes go on behind the outcome", {
    at: "bytes-go-on-behind-the-outcome",
    instead: "if (kept.length === 0) return undefined;",
  }),
  bug("an answer that broke off is begun again", {
    at: "an-answer-that-broke-off-is-begun-again",
    instead: 'return to(up(state, state.held, changed(state, event, "none")));',
  }),
  bug("a timeout ends its neighbours", {
    at: "a-timeout-ends-its-neighbours",
    instead: "",
  }),
  bug("a process is given more events than it may have", {
    at: "a-process-is-given-more-events-than-it-may-have",
    instead:
      'if (lost === undefined && held + events.length > eventsMax) return refused(state, { kind: "next" });',
  }),
  bug("a folder is left behind", {
    at: "a-folder-is-left-behind",
    instead: "const removal = Promise.resolve();",
  }),
];

function bug(name: string, ...patches: readonly Patch[]): HostBug {
  return { name, breaks: ["I40"], patches };
}
