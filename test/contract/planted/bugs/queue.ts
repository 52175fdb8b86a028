import type { ContractBug } from "../contract-bug.ts";

/** The SQS connector and the local queue. */
export const QUEUE_BUGS: readonly ContractBug[] = [];
