import type { ContractBug } from "../contract-bug.ts";

/** The Kafka connector. */
export const KAFKA_BUGS: readonly ContractBug[] = [];
