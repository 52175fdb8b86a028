import { createHash } from "node:crypto";
import { eventsOf, payloadOf } from "../failures/event-rows.ts";
import { type FailureFilter, isMeant, rowsOf } from "../failures/failure-filter.ts";
import { FUNCTION_LANE, newAttemptState } from "../model/async-item.ts";
import type { AsyncEvents } from "../ports/async-events.ts";
import type { Clock } from "../ports/clock.ts";
import type { FailureIndex, FailureRow } from "../ports/failure-index.ts";
import { ControlFault } from "./control-fault.ts";
import type { FailureReaders } from "./failure-readers.ts";
import type { ShownFailure } from "./shown-failure.ts";

export interface EventRedriveOptions {
  readonly index: FailureIndex;
  readonly readers: Pick<FailureReaders, "eventReaderOf">;
  /** `undefined`: this process takes no events. */
  readonly events: () => AsyncEvents | undefined;
  readonly hasFunction: (name: string) => boolean;
  readonly clock: Pick<Clock, "now">;
}

/** What would be invoked again, and what cannot be. */
export interface EventPlan {
  readonly failures: number;
  readonly kept: number;
  /** Their destination keeps them where nobody can read them again, or not any more. */
  readonly unreadable: number;
}

const AT_ONCE = 100;
const CHECKED_MAX = 2_000;
/** Stands for a redrive in rows that are about to be put: a crash in between leaves them so. */
const REDRIVE = "events";
const NO_PAYLOAD = "Its destination keeps it where it cannot be read again from here.";
const GONE = "Its destination does not have it any more.";
const NEVER = new AbortController().signal;

/**
 * Invokes events that were given up again, asynchronously. An event is put once into the queue, under an id of its own:
 * after a crash between that and the note of it, it may be put a second time, once it has come to its end.
 */
export class EventRedrive {
  readonly #options: EventRedriveOptions;

  constructor(options: EventRedriveOptions) {
    this.#options = options;
  }

  /** Changes nothing. */
  async dryRun(functionName: string, filter: FailureFilter): Promise<EventPlan> {
    let [failures, kept] = [0, 0];
    for await (const row of this.#open(functionName, filter)) {
      failures += 1;
      if (failures <= CHECKED_MAX && (await this.#payloadOf(row)) !== undefined) kept += 1;
    }
    return { failures, kept, unreadable: Math.min(failures, CHECKED_MAX) - kept };
  }

  /** One that was given up, with its payload where its destination can be read. */
  async show(row: FailureRow): Promise<ShownFailure> {
    const { destination, at } = row.where;
    const nothing = { row, document: undefined, records: [] };
    const reader = at === undefined ? undefined : await this.#options.readers.eventReaderOf(destination);
    if (reader === undefined || at === undefined) return { ...nothing, remark: NO_PAYLOAD };
    const found = await reader.read(at, NEVER);
    if (found === undefined) return { ...nothing, remark: GONE };
    const payload = payloadOf(found.document);
    const record: unknown = payload && JSON.parse(new TextDecoder().decode(payload));
    const position = row.items[0]?.position ?? "";
    const records = [{ position, key: undefined, arrivalMs: undefined, record }];
    return { row, document: found.document, records, remark: undefined };
  }

  /** Some of them; answers how many. 0: there are no more that can be; `full`: the queue. @throws ControlFault */
  async redrive(functionName: string, filter: FailureFilter): Promise<number | "full"> {
    const { events, hasFunction, clock, index } = this.#options;
    const queue = events();
    if (queue === undefined)
      throw refused("This store keeps no asynchronous events. Run millrace with --async-queue.");
    if (!hasFunction(functionName)) throw refused(`There is no function ${functionName}.`);
    const wanted: { readonly row: FailureRow; readonly body: Uint8Array }[] = [];
    for await (const row of this.#open(functionName, filter)) {
      const body = await this.#payloadOf(row);
      if (body !== undefined) wanted.push({ row, body });
      if (wanted.length === AT_ONCE) break;
    }
    const ids = wanted.map(({ row }) => row.id);
    if (ids.length === 0) return 0;
    const open = { from: ["open"], state: "redriving", redriveId: REDRIVE } as const;
    const left = { from: ["redriving"], ofRedrive: REDRIVE, state: "redriving", redriveId: REDRIVE } as const;
    const mine = new Set([...(await index.mark(ids, open)), ...(await index.mark(ids, left))]);
    const items = wanted
      .filter(({ row }) => mine.has(row.id))
      .map(({ row, body }) => ({
        id: idOf(row),
        kind: "invoke" as const,
        lane: FUNCTION_LANE + functionName,
        qualifier: "",
        body,
        state: { ...newAttemptState(clock.now()), route: `redrive ${row.id}` },
        visibleInMs: 0,
      }));
    const of = { from: ["redriving"], ofRedrive: REDRIVE } as const;
    if ((await queue.accept(items)) !== "accepted") {
      await index.mark([...mine], { ...of, state: "open", redriveId: undefined });
      return "full";
    }
    await index.mark([...mine], { ...of, state: "done", redriveId: REDRIVE });
    return items.length;
  }

  async *#open(functionName: string, filter: FailureFilter): AsyncGenerator<FailureRow> {
    const meant = { ...filter, mapping: eventsOf(functionName) };
    for await (const row of rowsOf(this.#options.index, meant)) {
      const isLeft = row.state === "redriving" && row.redriveId === REDRIVE;
      if ((row.state === "open" || isLeft) && isMeant(row, meant)) yield row;
    }
  }

  async #payloadOf({ where }: FailureRow): Promise<Uint8Array | undefined> {
    if (where.at === undefined) return undefined;
    const reader = await this.#options.readers.eventReaderOf(where.destination);
    const found = await reader?.read(where.at, NEVER);
    return found && payloadOf(found.document);
  }
}

/** The same for the same failure: put twice while it is there, it is there once. */
function idOf({ id }: FailureRow): string {
  const hex = createHash("sha256").update(`redrive ${id}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
}

function refused(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
