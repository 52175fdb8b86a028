import { firstOf, whenLate } from "../../lib/first-of.ts";
import type { MappingResource } from "../../manifests/resources.ts";
import { describeError, MillraceError } from "../../model/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ProgressStore } from "../../ports/progress-store.ts";
import type { BacklogSight, SourceBacklog } from "../../ports/source-backlog.ts";
import { openStreamSource } from "../deployments.ts";
import { StreamBacklog } from "./stream-backlog.ts";

export interface BacklogBookOptions {
  readonly progress: Pick<ProgressStore, "list">;
  readonly clock: Clock;
}

/** A mapping as its row has it now. */
export interface WantedMapping {
  readonly version: number;
  readonly resource: MappingResource;
}

/** What is known of a mapping's source; with a problem it is what was known last, and one at least. */
export interface KnownBacklog extends BacklogSight {
  readonly problem?: string | undefined;
}

interface Entry {
  readonly version: number;
  open: Promise<SourceBacklog> | undefined;
  last: BacklogSight;
}

/** Longer than a source may take, and short enough for whoever waits for the answer. */
const LOOK_MS_MAX = 3_000;

/** The backlogs of mappings, opened once and asked again and again. */
export class BacklogBook {
  readonly #options: BacklogBookOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: BacklogBookOptions) {
    this.#options = options;
  }

  /** Mappings that are not among these are asked no more. */
  async keep(uuids: ReadonlySet<string>): Promise<void> {
    for (const uuid of this.#entries.keys()) if (!uuids.has(uuid)) await this.rest(uuid);
  }

  /** Who works on it says so itself: nothing of it stays open here. */
  async rest(uuid: string): Promise<void> {
    const entry = this.#entries.get(uuid);
    this.#entries.delete(uuid);
    await closeQuietly(entry?.open);
  }

  /** Never rejects: what cannot be asked may be more than nothing. */
  async look({ version, resource }: WantedMapping): Promise<KnownBacklog> {
    const { clock } = this.#options;
    const { uuid, name } = resource.mapping;
    const known = this.#entries.get(uuid);
    if (known !== undefined && known.version !== version) await this.rest(uuid);
    const entry = this.#entries.get(uuid) ?? { version, open: undefined, last: NOTHING };
    this.#entries.set(uuid, entry);
    const end = new AbortController();
    try {
      const looked = this.#look(entry, resource, end.signal);
      const sight = await firstOf(looked, whenLate(clock, LOOK_MS_MAX, "late" as const));
      if (sight === "late") throw late(name);
      entry.last = sight;
      return sight;
    } catch (error) {
      end.abort();
      const { open } = entry;
      entry.open = undefined;
      void closeQuietly(open);
      // plant: a-source-that-cannot-be-asked-has-nothing
      const { elements, parts } = entry.last;
      return { elements: Math.max(1, elements), parts: Math.max(1, parts), problem: describeError(error) };
    }
  }

  async close(): Promise<void> {
    await this.keep(new Set());
  }

  async #look(entry: Entry, resource: MappingResource, signal: AbortSignal): Promise<BacklogSight> {
    entry.open ??= this.#open(resource);
    return await (await entry.open).look(signal);
  }

  async #open(resource: MappingResource): Promise<SourceBacklog> {
    const { progress, clock } = this.#options;
    if (resource.kind === "queue") {
      const { mapping, settings, connector } = resource;
      return await (connector.openBacklog?.(mapping, settings) ?? untold(mapping.name));
    }
    const { mapping, settings, connector } = resource;
    if (connector.openBacklog !== undefined) return await connector.openBacklog(mapping, settings);
    return new StreamBacklog({ mapping, source: await openStreamSource(resource), progress, clock });
  }
}

const NOTHING: BacklogSight = { elements: 0, parts: 0 };

async function closeQuietly(open: Promise<SourceBacklog> | undefined): Promise<void> {
  await open?.then((backlog) => backlog.close()).catch(() => undefined);
}

function untold(name: string): Promise<never> {
  const message = `The queue of ${name} tells nobody but its readers what it holds.`;
  return Promise.reject(new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", message));
}

function late(name: string): MillraceError {
  const message = `The source of ${name} did not say within ${LOOK_MS_MAX / 1_000} s what waits there.`;
  return new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", message);
}
