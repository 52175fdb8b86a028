import type { Reason, ReasonCode } from "../model/reason.ts";

/** What a reason says to people: what is in the way, and what to do. The runbook has a section for each code. */
export interface Remedy {
  readonly says: string;
  readonly toDo: string;
}

const NOTHING = "Nothing is to be done.";

export function remedyOf({ code, facts }: Reason): Remedy {
  const problem = facts["problem"] === undefined ? "" : `: ${facts["problem"]}`;
  return REMEDIES[code](facts, problem);
}

type RemedyText = (facts: Reason["facts"], problem: string) => Remedy;

const REMEDIES: Readonly<Record<ReasonCode, RemedyText>> = {
  idle: () => ({ says: "there is no work", toDo: NOTHING }),
  caughtUp: () => ({ says: "all that the source holds is processed", toDo: NOTHING }),
  progressing: () => ({ says: "it makes progress", toDo: NOTHING }),
  fillingBatch: () => ({
    says: "a batch is being filled",
    toDo: "Nothing is to be done until its window ends.",
  }),
  functionRuns: () => ({ says: "the function runs", toDo: "Nothing is to be done until its time-out." }),
  windowOpen: () => ({ says: "a tumbling window is open", toDo: "Nothing is to be done until it ends." }),
  functionFails: (facts, problem) => ({
    says: `the function fails (${facts["attempts"]} attempts)${problem}`,
    toDo: "Mend and deploy the function. To let others pass, set maximumRetryAttempts, bisect and a failure destination.",
  }),
  atConcurrency: () => ({
    says: "the function is at its concurrency",
    toDo: "Raise reservedConcurrency, or look why invocations take long.",
  }),
  destinationUnavailable: (_facts, problem) => ({
    says: `the failure destination has not accepted what was given up${problem}`,
    toDo: "Look whether the destination is there, and whether it may be written.",
  }),
  sourceThrottled: (_facts, problem) => ({
    says: `the source asks for fewer reads${problem}`,
    toDo: "Add shards or capacity, or take other readers away.",
  }),
  sourceUnavailable: (_facts, problem) => ({
    says: `the source cannot be read${problem}`,
    toDo: "Look whether it runs and can be reached; reading goes on by itself.",
  }),
  sourceDenied: (_facts, problem) => ({
    says: `the source refuses the credentials${problem}`,
    toDo: "Give the permission, or renew the credentials.",
  }),
  sourceGone: (_facts, problem) => ({
    says: `the source is not there${problem}`,
    toDo: "Make it again, or delete the mapping.",
  }),
  sourceSilent: () => ({
    says: "the source does not answer a read",
    toDo: "Look whether it runs and can be reached; reading goes on by itself.",
  }),
  sourceHoldsBack: (facts) => ({
    says: `the source has ${facts["records"]} records behind the last read and does not give them yet`,
    toDo: "Look for a producer that has written them and has not committed: reading goes on by itself once it has.",
  }),
  waitsForParents: () => ({
    says: "the shard was made anew, and waits until the shards that it follows are processed",
    toDo: "Look at these: reading goes on by itself.",
  }),
  readingFull: (facts) => ({
    says: `reading waits, since ${facts["records"]} records are read and not settled`,
    toDo: "Look at what holds the batches: the other reasons say it.",
  }),
  leaseNotRenewed: () => ({
    says: "the lease is not renewed, and nothing starts until it is",
    toDo: "Look at the store.",
  }),
  groupBusy: () => ({
    says: "messages wait for the batch of their group",
    toDo: "Look at the batch that runs.",
  }),
  messagesHidden: () => ({
    says: "messages that failed are hidden",
    toDo: "Nothing is to be done until they come again.",
  }),
  waitsForPlace: () => ({
    says: "as many batches run as may",
    toDo: "Raise maximumConcurrency, or run fewer processes.",
  }),
  cannotStart: (_facts, problem) => ({
    says: `it cannot be started${problem}`,
    toDo: "Mend what it names: it is looked at again every few seconds.",
  }),
  stopping: () => ({ says: "it is being stopped", toDo: NOTHING }),
  checkpointFails: () => ({
    says: "no checkpoint can be stored",
    toDo: "Look at the store: connections, disk, permissions.",
  }),
  failed: () => ({ says: "it stopped on a defect", toDo: "Restart the process, and report its log." }),
  unknown: (facts) => ({
    says: `nobody can say why (${facts["of"] ?? "it says that all is well"})`,
    toDo: "Restart the process, and report this output and its log: it is a defect of millrace.",
  }),
};

/** Where it is written what to do. */
export function runbookOf(code: ReasonCode): string {
  return `docs/runbook.md#${code.toLowerCase()}`;
}
