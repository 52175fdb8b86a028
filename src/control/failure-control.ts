import { functionOfEvents } from "../failures/event-rows.ts";
import { type FailureFilter, isMeant, rowsOf } from "../failures/failure-filter.ts";
import { rowIdOf } from "../failures/failure-names.ts";
import { keptRecords } from "../failures/kept-records.ts";
import { foundRow, mergedRow } from "../failures/reindexed-row.ts";
import type { MappingResource } from "../manifests/resources.ts";
import type { AsyncEvents } from "../ports/async-events.ts";
import type { Clock } from "../ports/clock.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { EventRecord } from "../ports/event-records.ts";
import type { FailureBookmark, FailureIndex, FailureRow } from "../ports/failure-index.ts";
import type { Random } from "../ports/random.ts";
import type { Redrives } from "../ports/redrives.ts";
import { ControlFault, notFound } from "./control-fault.ts";
import { deadLetterRow } from "./dead-letter-row.ts";
import { EventRedrive } from "./event-redrive.ts";
import type { FailureReaders } from "./failure-readers.ts";
import type { MappingControl } from "./mapping-control.ts";
import { RedriveControl } from "./redrive-control.ts";
import type { ShownFailure, ShownRecord } from "./shown-failure.ts";

/** What failures are known by, and read with. */
export interface FailureParts {
  readonly index: FailureIndex;
  readonly readers: FailureReaders;
  readonly redrives: Redrives;
}

export interface FailureControlOptions extends FailureParts {
  readonly mappings: Pick<MappingControl, "get" | "list">;
  readonly clock: Pick<Clock, "now">;
  readonly asynchronous: {
    readonly events: { readonly events: AsyncEvents } | undefined;
    readonly functions: readonly { readonly name: string }[];
  };
  readonly random: Pick<Random, "uuid">;
}

export interface FailurePage {
  readonly rows: readonly FailureRow[];
  /** `undefined`: there are no more. */
  readonly next: FailureBookmark | undefined;
  /** What else whoever looks should know; sentences. */
  readonly remarks: readonly string[];
}

/** Dead letters that a list looks at. */
export const PEEKED_MAX = 200;
/** What one reindexing adds at once. */
const ADDED_ROWS = 500;

/** Failures, for people: what was given up, where it lies, and what is left of it. */
export class FailureControl {
  readonly #options: FailureControlOptions;
  readonly #readers: FailureReaders;
  readonly redrives: RedriveControl;
  readonly events: EventRedrive;

  constructor(options: FailureControlOptions) {
    this.#options = options;
    this.#readers = options.readers;
    this.redrives = new RedriveControl(options);
    const { asynchronous } = options;
    this.events = new EventRedrive({
      ...options,
      events: () => asynchronous.events?.events,
      hasFunction: (name) => asynchronous.functions.some((fn) => fn.name === name),
    });
  }

  nowMs(): number {
    return this.#options.clock.now();
  }

  /** By UUID. */
  async mappingNames(): Promise<ReadonlyMap<string, string>> {
    const views = await this.#options.mappings.list({});
    return new Map(views.map(({ resource: { mapping } }) => [mapping.uuid, mapping.name]));
  }

  /** The key of a mapping's records that a person writes so. */
  async keyNamed(mapping: string | undefined, text: string): Promise<string> {
    const resource = await this.#resource(mapping);
    return resource?.connector.eventRecords?.keyOf?.(text) ?? text;
  }

  /** @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE, and what the dead letters of a queue are asked with. */
  async list(filter: FailureFilter, after: FailureBookmark | undefined, max: number): Promise<FailurePage> {
    const resource = filter.mapping === undefined ? undefined : await this.#resource(filter.mapping);
    if (resource?.kind === "queue") return await this.#deadLetters(resource, filter, max);
    const rows: FailureRow[] = [];
    for await (const row of rowsOf(this.#options.index, filter, after)) {
      rows.push(row);
      if (rows.length > max) break;
    }
    const page = rows.slice(0, max);
    const next = rows.length > max ? page.at(-1) : undefined;
    const remarks = filter.mapping === undefined && after === undefined ? await this.#queueRemarks() : [];
    return { rows: page, next: next && { atMs: next.atMs, id: next.id }, remarks };
  }

  /**
   * `mapping`: UUID of a queue's mapping, whose dead letters no row names.
   * @throws ControlFault ResourceNotFoundException, MillraceError
   */
  async show(id: string, mapping: string | undefined, isDecoded: boolean): Promise<ShownFailure> {
    const row = await this.#options.index.get(id);
    if (row !== undefined && functionOfEvents(row.mapping) !== undefined) return await this.events.show(row);
    const resource = await this.#resource(row?.mapping ?? mapping);
    if (row === undefined) {
      if (resource?.kind === "queue") return await this.#showLetter(resource, id, isDecoded);
      throw new ControlFault("ResourceNotFoundException", `There is no failure ${JSON.stringify(id)}.`);
    }
    const nothing = { row, document: undefined, records: [] };
    if (resource === undefined) return { ...nothing, remark: "Its mapping is not there any more." };
    const reader = await this.#readers.readerOf(resource, row.where.destination);
    const events = resource.connector.eventRecords;
    if (reader === undefined || events === undefined) return { ...nothing, remark: NO_PAYLOAD };
    const found = await keptRecords(row, reader, events, new AbortController().signal);
    if (found === undefined) return { ...nothing, remark: GONE };
    const shown = row.items.map(({ position }, at) => shownRecord(position, found.records[at], isDecoded));
    const remark = found.kept.events.length === 0 ? NO_EVENT : undefined;
    return { row, document: found.kept.document, records: shown, remark };

    function shownRecord(position: string, record: EventRecord | undefined, decoded: boolean): ShownRecord {
      return {
        position,
        key: record?.key,
        arrivalMs: record?.arrivalMs,
        record: record && (decoded ? events?.decode(record.element) : parsed(record.element)),
      };
    }
  }

  /**
   * Lists what the destinations of mappings keep and no row names, also what AWS wrote. Answers how many.
   * @throws MillraceError ERR_MILLRACE_DESTINATION_UNAVAILABLE, ERR_MILLRACE_STORE_UNAVAILABLE
   */
  async reindex(
    filter: FailureFilter,
  ): Promise<{ readonly found: number; readonly remarks: readonly string[] }> {
    const views = await this.#options.mappings.list({});
    const wanted = views.filter(
      ({ resource: { mapping } }) => (filter.mapping ?? mapping.uuid) === mapping.uuid,
    );
    const remarks: string[] = [];
    let found = 0;
    for (const { resource } of wanted) {
      const answer = await this.#reindexOne(resource, filter);
      if (typeof answer === "string") remarks.push(`${resource.mapping.name}: ${answer}`);
      else found += answer;
    }
    return { found, remarks };
  }

  async #reindexOne(resource: MappingResource, filter: FailureFilter): Promise<number | string> {
    if (resource.kind === "queue")
      return "Its failures are its queue's dead letters, which are listed as they are.";
    const { destination, mapping, connector } = resource;
    if (destination === undefined) return "It has no failure destination.";
    const reader = await this.#readers.readerOf(resource, destination.uri);
    const events = connector.eventRecords;
    if (reader === undefined || events === undefined) return "What its destination holds cannot be listed.";
    const { sinceMs = 0, untilMs = Number.MAX_SAFE_INTEGER } = filter;
    const rows = new Map<string, FailureRow>();
    let count = 0;
    const bounds = { mapping: mapping.uuid, sinceMs, untilMs };
    for await (const found of reader.scan(bounds, new AbortController().signal)) {
      const row = foundRow(found, mapping.uuid, destination.uri, events);
      const other = rows.get(row.id);
      rows.set(row.id, other === undefined ? row : mergedRow(other, row, reader));
      // Parts of one failure may be anywhere, where they are found one by one.
      if (reader.join !== undefined || rows.size < ADDED_ROWS) continue;
      count += await this.#add(rows, filter);
    }
    return count + (await this.#add(rows, filter));
  }

  async #add(rows: Map<string, FailureRow>, filter: FailureFilter): Promise<number> {
    const meant = [...rows.values()].filter((row) => isMeant(row, { ...filter, mapping: undefined }));
    rows.clear();
    for (let at = 0; at < meant.length; at += ADDED_ROWS)
      await this.#options.index.add(meant.slice(at, at + ADDED_ROWS));
    return meant.length;
  }

  async #deadLetters(
    resource: Extract<MappingResource, { kind: "queue" }>,
    filter: FailureFilter,
    max: number,
  ): Promise<FailurePage> {
    const { name } = resource.mapping;
    const peeked = await this.#withLetters(resource, async (letters) => {
      const signal = new AbortController().signal;
      const messages = await letters.peek(PEEKED_MAX, signal);
      return {
        letters,
        count: await letters.count(signal),
        rows: messages.map((each) => deadLetterRow(each, letters.name, resource.mapping.uuid)),
      };
    });
    if (peeked === undefined) {
      return { rows: [], next: undefined, remarks: [`The queue of ${name} has no queue of dead letters.`] };
    }
    const { letters, count, rows } = peeked;
    const remarks = [
      ...(letters.peekHides ? [`Looking at ${letters.name} hid its messages for a moment.`] : []),
      ...(count > rows.length
        ? [`${letters.name} has about ${count - rows.length} more than shown here.`]
        : []),
    ];
    return { rows: rows.filter((row) => isMeant(row, filter)).slice(0, max), next: undefined, remarks };
  }

  async #showLetter(
    resource: Extract<MappingResource, { kind: "queue" }>,
    id: string,
    isDecoded: boolean,
  ): Promise<ShownFailure> {
    const events = resource.connector.eventRecords;
    const shown = await this.#withLetters(resource, async (letters) => {
      const messages = await letters.peek(PEEKED_MAX, new AbortController().signal);
      const message = messages.find(({ itemId }) => rowIdOf(`${letters.name}/${itemId}`) === id);
      if (message === undefined) return undefined;
      const { element, position, key, arrivalMs } = message;
      const record = isDecoded ? events?.decode(element) : parsed(element);
      return {
        row: deadLetterRow(message, letters.name, resource.mapping.uuid),
        document: undefined,
        records: [{ position, key, arrivalMs, record }],
        remark: undefined,
      };
    });
    if (shown !== undefined) return shown;
    throw new ControlFault("ResourceNotFoundException", `There is no failure ${JSON.stringify(id)}.`);
  }

  async #withLetters<Result>(
    { connector, mapping, settings }: Extract<MappingResource, { kind: "queue" }>,
    use: (letters: DeadLetters) => Promise<Result>,
  ): Promise<Result | undefined> {
    const letters = await connector.openDeadLetters?.(mapping, settings);
    if (letters === undefined) return undefined;
    try {
      return await use(letters);
    } finally {
      await letters.close();
    }
  }

  async #queueRemarks(): Promise<readonly string[]> {
    const views = await this.#options.mappings.list({});
    const queues = views.filter(({ resource }) => resource.kind === "queue");
    if (queues.length === 0) return [];
    const names = queues.slice(0, 3).map(({ resource: { mapping } }) => mapping.name);
    const more = queues.length > names.length ? `, and ${queues.length - names.length} more` : "";
    return [
      `What queues gave up is their dead letters: name a mapping (${names.join(", ")}${more}) to see it.`,
    ];
  }

  async #resource(mapping: string | undefined): Promise<MappingResource | undefined> {
    if (mapping === undefined) return undefined;
    try {
      return (await this.#options.mappings.get(mapping)).resource;
    } catch (error) {
      if (error instanceof ControlFault && error.fault === notFound().fault) return undefined;
      throw error;
    }
  }
}

const NO_PAYLOAD =
  "Its destination keeps no events, only positions: a redrive of it reads the source again, which this version does not do.";
const GONE = "Its destination does not have it any more.";
const NO_EVENT = "Its document has no event: it was written without one.";

function parsed(element: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(element));
  } catch {
    return undefined;
  }
}
