import type { MappingStatus } from "../engine/engine.ts";
import { parseFunctionName } from "../manifests/function-name.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { isOfManifest, type KeptMapping, type MappingState, stateOf } from "./mapping-record.ts";

export interface MappingView {
  readonly resource: MappingResource;
  readonly state: MappingState;
  /** Why it does not poll, in a line: it is tried again. */
  readonly problem: string | undefined;
  readonly lastModifiedMs: number;
  readonly lastProcessingResult: string;
  /** It is changed in its manifest only, but for `Enabled`. */
  readonly isFromManifest: boolean;
  readonly tags: Readonly<Record<string, string>>;
  /** The version of its row, while processes have not all carried it out. */
  readonly changing: number | undefined;
}

/**
 * Shows mappings as callers of the API see them: what is kept of them, and what this process knows of how they fare.
 */
export class MappingViews {
  readonly #options: MappingViewsOptions;

  constructor(options: MappingViewsOptions) {
    this.#options = options;
  }

  ofKept({ uuid, version, record, resource }: KeptMapping): MappingView {
    const isFromManifest = isOfManifest(record);
    const state = stateOf(record);
    const status = this.#statusOf(uuid);
    const problem = this.#problem(uuid);
    const isUnopened = status?.state === "Creating" || problem !== undefined;
    return {
      resource,
      // AWS's states have no word for one that cannot be started: it is still being made, and says why (streams §1.5).
      state: isFromManifest && state === "Enabled" && isUnopened ? "Creating" : state,
      problem,
      lastModifiedMs: record.lastModifiedMs,
      lastProcessingResult: this.#lastResult(uuid),
      isFromManifest,
      tags: record.tags,
      changing: record.transition === undefined ? undefined : version,
    };
  }

  #lastResult(uuid: string): string {
    const problem = this.#problem(uuid);
    if (problem !== undefined) return `PROBLEM: ${problem}`;
    return this.#statusOf(uuid)?.lastProcessingResult ?? "No records processed";
  }

  #problem(uuid: string): string | undefined {
    return this.#statusOf(uuid)?.problem?.split("\n", 1)[0];
  }

  #statusOf(uuid: string): MappingStatus | undefined {
    return this.#options.status().find((status) => status.uuid === uuid);
  }
}

interface MappingViewsOptions {
  readonly status: () => readonly MappingStatus[];
}

/** A function is meant as qualified as it is named: base, version and alias are three (streams §1.1). */
export function isWithin(
  { mapping, spec }: MappingResource,
  { eventSourceArn, functionName }: { eventSourceArn?: string; functionName?: string },
): boolean {
  if (eventSourceArn !== undefined && mapping.eventSourceArn !== eventSourceArn) return false;
  if (functionName === undefined) return true;
  const [wanted, own] = [parseFunctionName(functionName), parseFunctionName(spec.functionName)];
  return wanted?.name === own?.name && wanted?.qualifier === own?.qualifier;
}
