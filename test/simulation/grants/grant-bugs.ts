import type { Patch } from "../planted/planted-bug.ts";

/** A bug of the door or of grants that this simulation must see. */
export interface GrantBug {
  readonly name: string;
  /** A violation of any of these must be seen. */
  readonly breaks: readonly string[];
  readonly patches: readonly Patch[];
}

export const GRANT_BUGS: readonly GrantBug[] = [
  bug("a place is not given back when the payload cannot be made", ["I26", "I30"], {
    at: "a-place-is-not-given-back-when-the-payload-cannot-be-made",
    lines: 9,
    instead:
      "if (typeof route === 'string') return NOT_STARTED;\nconst result = call.mayStart() ? await this.#calls.run(call, this.#serving, route, waitedMs) : NOT_STARTED;\nthis.#give(key);\nreturn result;",
  }),
  bug("a call that is aborted gives back a place that it has not", ["I28", "I29", "I26"], {
    at: "a-call-that-is-aborted-gives-back-a-place-that-it-has-not",
    lines: 2,
    instead:
      'if (ending === "late") return this.#usedUp;\nthis.#give(call.caller.key);\nreturn "notStarted";',
  }),
  bug("a grant is raised on a stale cell", ["I29", "I28"], {
    at: "a-grant-is-raised-on-a-stale-cell",
    instead:
      'if (answer.kind === "stale") {\nthis.#know(allotment, granted);\nthis.#startWithin(startsBelow);\nreturn "done";\n}',
  }),
  bug("the part of a process is struck before it is gone", ["I29", "I28"], {
    at: "the-part-of-a-process-is-struck-before-it-is-gone",
    instead: "return sinceMs !== undefined && this.#askedMs - sinceMs >= 4_000;",
  }),
  bug("a process that is cut off still starts", ["I29"], {
    at: "a-process-that-is-cut-off-still-starts",
    lines: 2,
    instead: "return membership.life === this.#life && clock !== undefined;",
  }),
  bug("a call waits longer than its patience", ["I30"], {
    at: "a-call-waits-longer-than-its-patience",
    instead: 'const late = whenLate(this.#clock, patienceMs * 4, "late" as const);',
  }),
  bug("a grant is raised beyond what is free", ["I29"], {
    at: "a-grant-is-raised-beyond-what-is-free",
    instead: "const raised = granted + Math.max(first, share - granted) + Math.min(more, spare);",
  }),
  bug("a lowered limit is not heeded", ["I28", "I29"], {
    at: "a-lowered-limit-is-not-heeded",
    lines: 2,
    instead: "",
  }),
  bug("a grant is used until the cell says that it is given up", ["I29", "I30"], {
    at: "a-grant-is-used-until-the-cell-says-that-it-is-given-up",
    instead: "",
  }),
  bug("the pool of unreserved places has one more", ["I28", "I29"], {
    at: "the-pool-of-unreserved-places-has-one-more",
    instead: "if (this.#taken > this.#limit) return false;",
  }),
  bug("who has more than its share keeps it", ["I30"], {
    at: "who-has-more-than-its-share-keeps-it",
    instead: "",
  }),
];

function bug(name: string, breaks: readonly string[], ...patches: readonly Patch[]): GrantBug {
  return { name, breaks, patches };
}
