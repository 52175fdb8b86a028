import type { ContractBug } from "../contract-bug.ts";

/** Kinesis, DynamoDB Streams and what their connectors share. */
export const AWS_BUGS: readonly ContractBug[] = [];
