import { type FailureFilter, rowsOf } from "../failures/failure-filter.ts";
import { isLetterOf, type LetterSelection } from "../failures/letter-selection.ts";
import type { MappingResource } from "../manifests/resources.ts";
import type { FailureIndex, FailureRow } from "../ports/failure-index.ts";
import type { Redrives } from "../ports/redrives.ts";
import { ControlFault } from "./control-fault.ts";
import { deadLetterRow } from "./dead-letter-row.ts";
import type { FailureReaders } from "./failure-readers.ts";
import type { MappingControl } from "./mapping-control.ts";

export interface RedriveSelectionOptions {
  readonly index: FailureIndex;
  readonly mappings: Pick<MappingControl, "get">;
  readonly readers: FailureReaders;
  readonly redrives: () => Redrives;
}

export interface Selection {
  readonly resource: MappingResource;
  /** What can be redriven. */
  readonly rows: readonly FailureRow[];
  readonly taken: number;
  readonly rereadRecords: number;
  /** What will be redriven beside these, and could not be looked at. */
  readonly unseen: number;
  readonly remarks: readonly string[];
}

/** Dead letters that a dry run looks at. */
const LETTERS_MAX = 10_000;

/** Finds what of a selection can be redriven. */
export class RedriveSelection {
  readonly #options: RedriveSelectionOptions;

  constructor(options: RedriveSelectionOptions) {
    this.#options = options;
  }

  async select(filter: FailureFilter): Promise<Selection> {
    const mapping = filter.mapping ?? (await this.onlyMapping(filter));
    const { resource } = await this.#options.mappings.get(mapping);
    if (resource.connector.eventRecords === undefined)
      throw refused("What this kind of source gave up cannot be redriven.");
    if (resource.kind === "queue") return await this.#selectLetters(resource, filter);
    const rows: FailureRow[] = [];
    let [taken, rereadRecords] = [0, 0];
    const dead = new Map<string, Promise<boolean>>();
    for await (const row of rowsOf(this.#options.index, { ...filter, mapping })) {
      if (!(await this.#isFree(row, dead))) {
        if (row.state === "redriving" || row.state === "uncertain") taken += 1;
        continue;
      }
      const reader = await this.#options.readers.readerOf(resource, row.where.destination);
      if (reader === undefined || row.where.at === undefined) rereadRecords += row.count;
      else rows.push(row);
    }
    const remarks = rereadRecords === 0 ? [] : [REREAD];
    return { resource, rows, taken, rereadRecords, unseen: 0, remarks };
  }

  /** What a redrive has that nobody made in the end, or that is over, is as free as before. */
  async #isFree({ state, redriveId }: FailureRow, dead: Map<string, Promise<boolean>>): Promise<boolean> {
    if (state === "open") return true;
    if (state !== "redriving" || redriveId === undefined) return false;
    const known = dead.get(redriveId) ?? this.#isDead(redriveId);
    dead.set(redriveId, known);
    return await known;
  }

  async #isDead(redriveId: string): Promise<boolean> {
    return (await this.#options.redrives().get(redriveId)) === undefined;
  }

  async #selectLetters(
    resource: Extract<MappingResource, { kind: "queue" }>,
    filter: FailureFilter,
  ): Promise<Selection> {
    const letters = await openLetters(resource);
    const { uuid } = resource.mapping;
    try {
      const signal = new AbortController().signal;
      const messages = await letters.peek(LETTERS_MAX, signal);
      const hidden = Math.max(0, (await letters.count(signal)) - messages.length);
      const rows = messages
        .filter((each) => isLetterOf(each, letters.name, letterSelection(filter)))
        .map((each) => deadLetterRow(each, letters.name, uuid));
      const isAll = isOfAll(filter);
      const remarks = hidden === 0 ? [] : [hiddenRemark(letters.name, hidden, isAll)];
      return { resource, rows, taken: 0, rereadRecords: 0, unseen: isAll ? hidden : 0, remarks };
    } finally {
      await letters.close();
    }
  }

  async onlyMapping(filter: FailureFilter): Promise<string> {
    let mapping: string | undefined;
    for await (const row of rowsOf(this.#options.index, filter)) {
      if (mapping !== undefined && mapping !== row.mapping) mapping = "";
      mapping ??= row.mapping;
      if (mapping === "") break;
    }
    if (mapping !== undefined && mapping !== "") return mapping;
    throw refused("Name the mapping whose failures are to be redriven: a redrive is of one mapping.");
  }
}

const REREAD =
  "Destinations that keep positions only, and no events: a redrive of their records reads the source again, " +
  "which this version does not do.";

function isOfAll({ keyHash, ids, sinceMs, untilMs }: FailureFilter): boolean {
  return [keyHash, ids, sinceMs, untilMs].every((each) => each === undefined);
}

/** A queue gives of each group a few at a time, and the next ones when these are gone. */
function hiddenRemark(name: string, hidden: number, isAll: boolean): string {
  const also = isAll ? "are redriven, too" : "are redriven where the filters say so";
  return `${name} has about ${hidden} more that it does not show behind these or that somebody has: they ${also}.`;
}

/** @throws ControlFault where the queue gives nothing up. */
export async function openLetters({
  connector,
  mapping,
  settings,
}: Extract<MappingResource, { kind: "queue" }>) {
  const letters = await connector.openDeadLetters?.(mapping, settings);
  if (letters !== undefined) return letters;
  throw refused(`The queue of ${mapping.name} has no queue of dead letters.`);
}

/** As it is kept with a redrive. */
export function letterSelection({ keyHash, ids, sinceMs, untilMs }: FailureFilter): string {
  return JSON.stringify({ keyHash, ids, sinceMs, untilMs } satisfies LetterSelection);
}

export function refused(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
