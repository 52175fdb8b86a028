import type { DataMembers } from "../model/input-template.ts";

/**
 * A source's event as EventBridge Pipes hands its records on: for mappings with an enrichment or a template (queues
 * §3). Pure functions.
 */
export interface PipeRecords {
  /** Members of its records that hold what their sender sent. */
  readonly data: DataMembers;
  /** Each record as a JSON object of its own, in their order; `undefined`: the bytes are of no such event. */
  split(event: Uint8Array): readonly string[] | undefined;
}
