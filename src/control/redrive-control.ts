import type { FailureFilter } from "../failures/failure-filter.ts";
import { keptRecords } from "../failures/kept-records.ts";
import { isLetterOf } from "../failures/letter-selection.ts";
import { selectionText } from "../failures/redrive-feed.ts";
import { plannedItems, type RedrivePlan, summaryOfPlan } from "../failures/redrive-plan.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { REDRIVE_SHARE_DEFAULT, type RedriveDelivery, type RedriveTarget } from "../model/redrive.ts";
import type { TakenLetter } from "../ports/dead-letters.ts";
import type { FailureIndex, FailureRow } from "../ports/failure-index.ts";
import type { Random } from "../ports/random.ts";
import type { RedriveRefusal, RedriveStatus, Redrives } from "../ports/redrives.ts";
import { ControlFault, notFound } from "./control-fault.ts";
import type { FailureReaders } from "./failure-readers.ts";
import type { MappingControl } from "./mapping-control.ts";
import { letterSelection, openLetters, RedriveSelection, refused } from "./redrive-selection.ts";

export interface RedriveControlOptions {
  readonly index: FailureIndex;
  readonly mappings: Pick<MappingControl, "get">;
  readonly readers: FailureReaders;
  readonly redrives: Redrives;
  readonly random: Pick<Random, "uuid">;
}

export interface AskedRedrive {
  readonly name: string | undefined;
  readonly filter: FailureFilter;
  readonly to: RedriveTarget;
  readonly rate: number | undefined;
  readonly share: number | undefined;
  readonly delivery: RedriveDelivery | undefined;
  /** As the audit log has it. */
  readonly caller: string;
}

/** What a redrive would do, and what it would not. */
export interface DryRun extends RedrivePlan {
  readonly payload: {
    /** Records whose events the destination has. */
    readonly kept: number;
    /** Records whose events it does not have any more. */
    readonly gone: number;
    /** Records that were not looked at: there are so many, or their queue does not show them. */
    readonly unseen: number;
    /** Records of destinations that keep no events: they are left out. */
    readonly reread: number;
  };
  /** Failures of the selection that another redrive has, or that wait for a decision: they are left out. */
  readonly taken: number;
  readonly remarks: readonly string[];
}

/** Failures whose events a dry run reads. */
const CHECKED_MAX = 2_000;
const MARKED_AT_ONCE = 1_000;
/** Dead letters of one call, and what a rate means for it. */
const MOVED_AT_ONCE = 100;
const MOVE_SECONDS = 1;
const MOVE_HOLD_MS = 60_000;
const MOVE_TAKES_MAX = 100;

/** Selects what is redriven, says beforehand what will happen, and hands it to those who do it. */
export class RedriveControl {
  readonly #options: RedriveControlOptions;
  readonly #selection: RedriveSelection;

  constructor(options: RedriveControlOptions) {
    this.#options = options;
    this.#selection = new RedriveSelection({ ...options, redrives: () => this.redrives });
  }

  get redrives(): Redrives {
    return this.#options.redrives;
  }

  /** Changes nothing. @throws ControlFault */
  async dryRun(filter: FailureFilter): Promise<DryRun> {
    const { resource, rows, taken, rereadRecords, unseen, remarks } = await this.#selection.select(filter);
    const items = planOf(resource, rows, filter.keyHash);
    const { kept, gone, unseen: unread } = await this.#payloadOf(resource, rows, filter);
    const plan = summaryOfPlan(items);
    return {
      ...plan,
      failures: plan.failures + unseen,
      records: plan.records + unseen,
      payload: { kept, gone, unseen: unread + unseen, reread: rereadRecords },
      taken,
      remarks,
    };
  }

  /** @throws ControlFault, MillraceError ERR_MILLRACE_STORE_UNAVAILABLE */
  async create(asked: AskedRedrive): Promise<RedriveStatus> {
    const { index, random } = this.#options;
    const { redrives } = this;
    const { filter, to, rate, delivery = "at-most-once", share = REDRIVE_SHARE_DEFAULT, caller } = asked;
    const { resource, rows, unseen } = await this.#selection.select(filter);
    if (rows.length === 0) throw refused("There is nothing to redrive in this selection.");
    const id = random.uuid();
    const isQueue = resource.kind === "queue";
    const marked = isQueue ? rows.map((row) => row.id) : await this.#mark(rows, id);
    const mine = new Set(marked);
    const items = planOf(
      resource,
      rows.filter((row) => mine.has(row.id)),
      filter.keyHash,
    );
    const created = await redrives.create({
      id,
      name: asked.name ?? `redrive-${id.slice(0, 8)}`,
      mapping: resource.mapping.uuid,
      selection: isQueue ? letterSelection(filter) : selectionText(filter.keyHash),
      to,
      rate,
      share,
      delivery,
      selected: items.length + unseen,
      caller,
    });
    if (created !== "exists") return created;
    const back = { from: ["redriving"], ofRedrive: id, state: "open", redriveId: undefined } as const;
    if (!isQueue) await index.mark(marked, back);
    throw new ControlFault(
      "ResourceConflictException",
      `There is a redrive ${JSON.stringify(asked.name)} already.`,
    );
  }

  /** @throws ControlFault ResourceNotFoundException */
  async get(idOrName: string): Promise<RedriveStatus> {
    return (await this.redrives.get(idOrName)) ?? notThere(idOrName);
  }

  /** @throws ControlFault ResourceNotFoundException, ResourceInUseException */
  async change(
    idOrName: string,
    change: "pause" | "resume" | "cancel" | "retryUncertain",
  ): Promise<RedriveStatus> {
    if (change === "cancel") await this.#checkCancel(idOrName);
    const answer = await this.redrives[change](idOrName);
    return isRefusal(answer) ? refuse(answer, idOrName) : answer;
  }

  async setRate(idOrName: string, rate: number | undefined): Promise<RedriveStatus> {
    const answer = await this.redrives.setRate(idOrName, rate);
    return isRefusal(answer) ? refuse(answer, idOrName) : answer;
  }

  /**
   * Moves some of a queue's dead letters back to it, as their senders made them, those of a group in order. Answers how
   * many; 0: there are no more.
   */
  async moveBack(filter: FailureFilter, rate: number | undefined): Promise<number> {
    const mapping = filter.mapping ?? (await this.#selection.onlyMapping(filter));
    const { resource } = await this.#options.mappings.get(mapping);
    if (resource.kind !== "queue") throw refused("Only a queue's dead letters can go back to their source.");
    const letters = await openLetters(resource);
    try {
      const max = Math.max(1, Math.min(MOVED_AT_ONCE, Math.floor((rate ?? MOVED_AT_ONCE) * MOVE_SECONDS)));
      const selection = letterSelection(filter);
      const others: TakenLetter[] = [];
      let wanted: readonly TakenLetter[] = [];
      // What is not meant is held meanwhile, so that what lies behind it can be had.
      for (let takes = 0; takes < MOVE_TAKES_MAX && wanted.length === 0; takes++) {
        const taken = await letters.take(max, MOVE_HOLD_MS, new AbortController().signal);
        if (taken.length === 0) break;
        wanted = taken.filter((each) => isLetterOf(each, letters.name, selection));
        others.push(...taken.filter((each) => !wanted.includes(each)));
      }
      await letters.send(
        "source",
        wanted.map(({ itemId, element }) => ({ id: `back-${itemId}`, element })),
      );
      await letters.remove(wanted);
      await letters.giveBack(others);
      return wanted.length;
    } finally {
      await letters.close();
    }
  }

  /** What is uncertain of dead letters is nowhere else. */
  async #checkCancel(idOrName: string): Promise<void> {
    const { mapping, counts } = await this.get(idOrName);
    const { resource } = await this.#options.mappings.get(mapping);
    if (resource.kind !== "queue" || counts.uncertain === 0) return;
    throw refused("Some of its dead letters are uncertain: hand them over again first (retry-uncertain).");
  }

  async #mark(rows: readonly FailureRow[], redriveId: string): Promise<readonly string[]> {
    const { index } = this.#options;
    const marked: string[] = [];
    const byOwner = Map.groupBy(rows, (row) => row.redriveId);
    for (const [ofRedrive, own] of byOwner) {
      for (let at = 0; at < own.length; at += MARKED_AT_ONCE) {
        const ids = own.slice(at, at + MARKED_AT_ONCE).map(({ id }) => id);
        const from = ofRedrive === undefined ? (["open"] as const) : (["open", "redriving"] as const);
        marked.push(...(await index.mark(ids, { from, ofRedrive, state: "redriving", redriveId })));
      }
    }
    return marked;
  }

  async #payloadOf(resource: MappingResource, rows: readonly FailureRow[], { keyHash }: FailureFilter) {
    const events = resource.connector.eventRecords;
    let [kept, gone, unseen] = [0, 0, 0];
    for (const [at, row] of rows.entries()) {
      const wanted = row.items.flatMap((item, place) =>
        keyHash === undefined || item.keyHash === keyHash ? [place] : [],
      );
      if (resource.kind === "queue" || at >= CHECKED_MAX || events === undefined) {
        if (resource.kind === "queue") kept += wanted.length;
        else unseen += wanted.length;
        continue;
      }
      const reader = await this.#options.readers.readerOf(resource, row.where.destination);
      const found = reader && (await keptRecords(row, reader, events, new AbortController().signal));
      const there = wanted.filter((place) => found?.records[place] !== undefined).length;
      kept += there;
      gone += wanted.length - there;
    }
    return { kept, gone, unseen };
  }
}

function planOf(resource: MappingResource, rows: readonly FailureRow[], keyHash: string | undefined) {
  const { eventRecords } = resource.connector;
  if (eventRecords === undefined) return [];
  return plannedItems(rows, (a, b) => eventRecords.comparePositions(a, b), keyHash);
}

function isRefusal(answer: RedriveStatus | RedriveRefusal): answer is RedriveRefusal {
  return "kind" in answer;
}

function refuse(refusal: RedriveRefusal, idOrName: string): never {
  if (refusal.kind === "notFound") return notThere(idOrName);
  throw new ControlFault(
    "ResourceConflictException",
    `The redrive is ${refusal.state}, which does not allow this.`,
  );
}

function notThere(idOrName: string): never {
  const { fault } = notFound();
  throw new ControlFault(fault, `There is no redrive ${JSON.stringify(idOrName.slice(0, 100))}.`);
}
