import type { MappingStatus } from "../engine/engine.ts";

/** The status of a mapping that the engine does not have yet. */
export function creatingStatus({ uuid, name }: Pick<MappingStatus, "uuid" | "name">): MappingStatus {
  return {
    uuid,
    name,
    state: "Creating",
    lastProcessingResult: "No records processed",
    oldestAgeMs: 0,
    shards: [],
    caughtUp: false,
  };
}
