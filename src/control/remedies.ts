import { NO_SHARDS, type Reason, type ReasonCode } from "../model/reason.ts";
import { BESIDE_REMEDIES } from "./beside-remedies.ts";
import type { Remedy, RemedyText } from "./remedy.ts";

const NOTHING = "Nothing is to be done.";

export function remedyOf({ code, facts }: Reason): Remedy {
  const problem = facts["problem"] === undefined ? "" : `: ${facts["problem"]}`;
  return REMEDIES[code](facts, problem);
}

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
    says: `${ofKey(facts)}the function fails (${facts["attempts"]} attempts)${problem}`,
    toDo: "Mend and deploy the function. To let others pass, set maximumRetryAttempts, bisect and a failure destination.",
  }),
  functionTimesOut: (facts) => ({
    says: `${ofKey(facts)}the function does not answer by its time-out (${facts["attempts"]} attempts)`,
    toDo: "Raise the function's timeoutSeconds, or lower the mapping's batchSize.",
  }),
  partialWithoutProgress: (facts) => ({
    says: `the function lists its first record as failed, again and again (${facts["attempts"]} attempts)`,
    toDo: 'Mend the function for that record, or set maximumRetryAttempts. It lists only what failed: {"batchItemFailures":[{"itemIdentifier":"…"}]}.',
  }),
  malformedResponse: (facts, problem) => ({
    says: `the function's answer cannot be read (${facts["attempts"]} attempts)${problem}`,
    toDo: 'Have it answer {"batchItemFailures":[{"itemIdentifier":"…"}]} with identifiers of this batch, or take ReportBatchItemFailures out of functionResponseTypes.',
  }),
  windowStateMissing: (facts) => ({
    says: `the function's answer has no state, which a tumbling window needs (${facts["attempts"]} attempts)`,
    toDo: 'Have it answer {"state":{…}} for each batch, or take tumblingWindowInSeconds out.',
  }),
  payloadTooLarge: () => ({
    says: "a record is larger than an invocation may be",
    toDo: "Lower batchSize, or have producers write less into a record; a failure destination keeps what is given up.",
  }),
  zeroConcurrency: () => ({
    says: "the function's reserved concurrency is 0: nothing of it may start",
    toDo: "Raise reservedConcurrency, or call DeleteFunctionConcurrency: it goes on within seconds, and nothing is lost.",
  }),
  noSuchFunction: (_facts, problem) => ({
    says: `there is no such function, version or alias${problem}`,
    toDo: "Declare it in a manifest, or name another function: it goes on by itself.",
  }),
  notReady: (_facts, problem) => ({
    says: `the function, or the version that is meant, cannot be opened${problem}`,
    toDo: "Mend what the log names: it is opened again every few seconds.",
  }),
  functionUnavailable: (_facts, problem) => ({
    says: `the function cannot be reached${problem}`,
    toDo: "Look whether its URL, process or name is right, and whether it runs. It is tried again by itself.",
  }),
  functionThrottled: (facts) => ({
    says: `the function refuses calls for now (${facts["throttles"] ?? 1} in a row)`,
    toDo: "Raise the function's own limit where it runs, or lower what this mapping asks of it. It costs no retries.",
  }),
  atConcurrency: (facts) => ({
    says: `the function runs as often as it may${ofLimit(facts)}, all of it for this mapping`,
    toDo: "Raise reservedConcurrency, or look why invocations take long.",
  }),
  accountConcurrency: (facts) => ({
    says: `functions that reserve no concurrency have used up what is left for them (${facts["running"]} of ${facts["limit"]} places)`,
    toDo: "Raise --account-concurrency, lower what others reserve, or reserve concurrency for this function.",
  }),
  adaptiveLimit: (facts) => ({
    says: `fewer calls are made for now${ofLimit(facts)}, since the function refuses some or is slow`,
    toDo: "Look at the function: the limit rises by itself as it recovers.",
  }),
  sharedMaximumTaken: (facts) => ({
    says: `other processes have what this one would need of the common maximum${ofLimit(facts)}`,
    toDo: "Raise reservedConcurrency or maximumConcurrency, or look what the other processes run.",
  }),
  waitsForSlot: (facts) => ({
    says: `other callers have the function's places (${facts["others"] ?? "some"} of ${facts["limit"] ?? "all"})`,
    toDo: "Raise reservedConcurrency, or look which mapping keeps the function busy.",
  }),
  destinationUnavailable: (_facts, problem) => ({
    says: `the failure destination has not accepted what was given up${problem}`,
    toDo: "Look whether the destination is there, and whether it may be written.",
  }),
  destinationRejected: (facts, problem) => ({
    says: `the failure destination can never take what was given up: ${facts["records"] ?? "some"} records are lost${problem}`,
    toDo: "Look at its limit of size and its permissions; what was rejected was dropped and counted.",
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
  readingFull: (facts) => ({
    says: `reading waits, since ${facts["records"]} records are read and not settled`,
    toDo: `Look at what holds ${facts["cause"] ?? "the batches"}: its reason says it.`,
  }),
  budgetTaken: (facts) => ({
    says: `reading waits, since ${facts["of"] === "process" ? "other mappings have" : "other shards of the mapping have"} the room for what is read and not settled`,
    toDo: `Look at what holds ${facts["cause"] ?? "them"}, or raise the memory budget.`,
  }),
  trimmedGap: () => ({
    says: "the source dropped records before they could be read: its retention is shorter than the lag was",
    toDo: "Lengthen the source's retention, and add processes or shards so that the lag stays below it.",
  }),
  skippingSettled: (facts) => ({
    says: `records that were settled before a restart are read over (${facts["records"] ?? "some"} so far)`,
    toDo: "Nothing is to be done: it ends where the last process was.",
  }),
  filterPassesNothing: (facts) => ({
    says: `the filter has let none of ${facts["records"]} records pass`,
    toDo: "If that is not what it is for, try its patterns on a record: millrace test-pattern.",
  }),
  waitsForParent: (facts) => ({
    says: `the shard waits until ${facts["parents"] ?? "the shards that it follows"} are processed to their end`,
    toDo: "Look at these: reading begins by itself.",
  }),
  waitsForLease: (facts) => ({
    says: `the lease of ${facts["owner"] ?? "another process"} has to run out first: nothing was heard of it`,
    toDo: "Nothing is to be done: another process takes over by itself then.",
  }),
  handingOver: (facts) => ({
    says: `it is being handed over to ${facts["to"] ?? "another process"}, once what runs has ended`,
    toDo: "Nothing is to be done, unless an invocation takes long: look at the function.",
  }),
  leaseNotRenewed: () => ({
    says: "the lease is not renewed, and nothing starts until it is",
    toDo: "Look at the store.",
  }),
  unowned: () => ({
    says: "no process has taken it yet",
    toDo: "Look whether all processes reach the store; else restart one, which takes it.",
  }),
  [NO_SHARDS]: () => ({
    says: "the broker gave this process nothing: more processes ask than there is to give",
    toDo: "Nothing is to be done, but run fewer processes, or divide the source further.",
  }),
  groupRebalancing: () => ({
    says: "the broker divides the work anew among the processes",
    toDo: "It ends by itself. Look for processes that come and go if it does not.",
  }),
  storesDiffer: (facts) => ({
    says: `${facts["process"] ?? "another process"} reads the same source for the same mapping with another store`,
    toDo: "Give all processes the same --store.",
  }),
  groupBusy: () => ({
    says: "messages wait for the batch of their group",
    toDo: "Look at the batch that runs.",
  }),
  messagesHidden: (facts, problem) => ({
    says: `${facts["messages"] ?? "some"} messages that failed are hidden${problem}`,
    toDo: "Look why they failed; they come again by themselves.",
  }),
  waitsForPlace: (facts) => ({
    says: `as many batches run as may${facts["most"] === undefined ? "" : ` (${facts["most"]})`}`,
    toDo: "Raise maximumConcurrency, or run fewer processes.",
  }),
  movesToDeadLetter: (facts, problem) => ({
    says: `${facts["messages"] ?? "some"} messages have failed as often as their queue allows, and go to its dead-letter queue${facts["queue"] === undefined ? "" : ` ${facts["queue"]}`}${problem}`,
    toDo: "Mend the function, then redrive the dead-letter queue.",
  }),
  ...BESIDE_REMEDIES,
  disabled: () => ({
    says: "it is disabled: nothing is read",
    toDo: "millrace mappings enable UUID, or enabled: true in its manifest.",
  }),
  updating: (facts) => ({
    says: `a change waits until ${facts["process"] ?? "every process"} has carried it out`,
    toDo: "Nothing is to be done: who does not answer for 15 s is not waited for.",
  }),
  manifestShadowed: () => ({
    says: "its manifest is not what runs: the store's row is, since it was adopted or made by the API",
    toDo: "Look at what differs with millrace mappings get UUID; delete the row's mapping to go back, or take it out of the manifest.",
  }),
  cannotStart: (_facts, problem) => ({
    says: `it cannot be started${problem}`,
    toDo: "Mend what it names: it is looked at again every few seconds.",
  }),
  stopping: () => ({ says: "it is being stopped", toDo: NOTHING }),
  storeUnavailable: (_facts, problem) => ({
    says: `the store does not answer, and nothing new starts until it does${problem}`,
    toDo: "Look at the store: whether it runs, can be reached, and has room.",
  }),
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

function ofKey(facts: Reason["facts"]): string {
  return facts["key"] === undefined ? "" : `key ${facts["key"]}: `;
}

function ofLimit(facts: Reason["facts"]): string {
  return facts["limit"] === undefined ? "" : ` (${facts["running"] ?? facts["limit"]} of ${facts["limit"]})`;
}

/** Where it is written what to do. */
export function runbookOf(code: ReasonCode): string {
  return `docs/runbook.md#${code.toLowerCase()}`;
}
