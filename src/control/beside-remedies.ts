import type { CodeOf } from "../model/reason.ts";
import type { RemedyText } from "./remedy.ts";

/** Remedies of what works beside mappings: redrives, events, schedules, routes. */
export const BESIDE_REMEDIES: Readonly<Record<CodeOf<"redrive" | "events"> | "redrivePaced", RemedyText>> = {
  redrivePaced: ({ rate }) => ({
    says: `it hands over ${rate === undefined ? "only so many" : rate} records a second, as it was asked to`,
    toDo: "Nothing is to be done, or give another rate: millrace failures redrive NAME --rate N.",
  }),
  redrivePaused: (facts) => ({
    says: `it is paused: ${some(facts["records"], "record")} of it ${wait(facts["records"])}`,
    toDo: "millrace failures redrive NAME resumes it; with --cancel it ends, and what waits is open again.",
  }),
  redriveWaits: (facts) => ({
    says: `no process hands its records over, since its mapping does not run (${facts["state"] ?? "no process has it"})`,
    toDo: "Have a process run the mapping, and enable it: a redrive goes on where its mapping runs.",
  }),
  redriveUnreadable: (_facts, problem) => ({
    says: `what was given up cannot be read from where it is kept${problem}`,
    toDo: "Look whether the destination is there, and whether it may be read: it is tried again by itself.",
  }),
  redriveUncertain: (facts) => ({
    says: `${some(facts["records"], "record")} ${Number(facts["records"]) === 1 ? "is" : "are"} uncertain: the function was at work when a process died, or did not answer`,
    toDo: "Look what the function did with them, then millrace failures redrive NAME --retry-uncertain, or --cancel.",
  }),
  eventsShut: (facts) => ({
    says: `its reserved concurrency is 0: each event that comes is given up (ZeroReservedConcurrency)${waitingOf(facts)}`,
    toDo: "Raise reservedConcurrency, or call DeleteFunctionConcurrency; what was given up is where OnFailure and the dead-letter queue say.",
  }),
  eventsWait: (facts) => ({
    says: `${some(facts["events"], "event")} ${wait(facts["events"])}, the oldest for ${facts["seconds"] ?? "some"} s: they come faster than they run (${facts["running"] ?? "all"} of ${facts["limit"] ?? "its"} places are taken)`,
    toDo: "Raise the function's concurrency, or look why its calls take long. An event ends at its maximumEventAgeSeconds.",
  }),
  eventsFail: (facts, problem) => ({
    says: `${some(facts["events"], "event")} failed and ${wait(facts["events"])} for the next try${problem}`,
    toDo: "Mend and deploy the function: millrace events list FUNCTION names them, millrace events show ID the last answer.",
  }),
  eventsHeldBack: (facts, problem) => ({
    says: `${some(facts["events"], "event")} could not be run and ${wait(facts["events"])} for the next try${problem}`,
    toDo: "Look whether the function can be reached and has places: these tries cost no retries, and end with the event's age.",
  }),
  eventsFull: (facts) => ({
    says: `the queue has as many events as it may (${facts["events"] ?? "all"}): callers get 429`,
    toDo: "Raise the function's concurrency or mend it; the queue takes events again as soon as there is room.",
  }),
  deliveryWaits: (facts, problem) => ({
    says: `${some(facts["records"], "record")} of how events ended ${wait(facts["records"])} for ${facts["destination"] ?? "their destination"}, which does not take them${problem}`,
    toDo: "Look whether the destination is there, and whether it may be written: they are tried again for 24 hours.",
  }),
  scheduleOff: () => ({
    says: "it is disabled: no tick of it is enqueued",
    toDo: "state: ENABLED in its manifest, or EnableRule, or UpdateSchedule. What was due meanwhile is not made up for.",
  }),
  scheduleOver: () => ({
    says: "it has no further tick: its time, or its end date, has passed",
    toDo: "Give it another expression or endDate, or delete it.",
  }),
  ticksMissed: (facts) => ({
    says: `${some(facts["ticks"], "tick")} ${Number(facts["ticks"]) === 1 ? "was" : "were"} missed, since nobody was there to enqueue them in time`,
    toDo: "Look why all processes were down or cut off from the store. Who needs those runs invokes the function by hand.",
  }),
  frontOff: () => ({
    says: "this process listens for no HTTP requests",
    toDo: "Start it with --front HOST:PORT.",
  }),
};

function waitingOf({ events }: Parameters<RemedyText>[0]): string {
  return events === undefined || events === 0 ? "" : `; ${some(events, "event")} ${wait(events)}`;
}

function wait(count: string | number | undefined): string {
  return Number(count) === 1 ? "waits" : "wait";
}

function some(count: string | number | undefined, what: string): string {
  return count === undefined ? `some ${what}s` : `${count} ${what}${Number(count) === 1 ? "" : "s"}`;
}
