import { resolve } from "node:path";
import { describeError, hasErrorCode, MillraceError } from "../../model/errors.ts";
import type { Place } from "../../model/place.ts";
import type { Connector, SourceEndpoints } from "../../ports/connector.ts";
import type { EmbeddedSources, QueueKeeper, StreamKeeper } from "../../ports/embedded-sources.ts";
import { ControlFault } from "../control-fault.ts";

/** Streams and queues that connectors keep themselves, by their names, wherever mappings say that they are. */
export interface EmbeddedBooks {
  readonly streams: EmbeddedBook<StreamKeeper>;
  readonly queues: EmbeddedBook<QueueKeeper>;
  close(): Promise<void>;
}

export interface EmbeddedBookOptions {
  /** The operator's (`--endpoint`). */
  readonly endpoints: SourceEndpoints;
  readonly place: Place;
  /** What mappings say of their sources. */
  readonly mappings: () => Promise<readonly MappedSource[]>;
}

interface MappedSource {
  readonly eventSourceArn: string | undefined;
  readonly endpoints: SourceEndpoints;
}

export function createEmbeddedBooks(
  connectors: readonly Connector[],
  options: EmbeddedBookOptions,
): EmbeddedBooks {
  const streams = new EmbeddedBook("stream", embeddedStreamsOf(connectors), options);
  const queues = new EmbeddedBook("queue", embeddedQueuesOf(connectors), options);
  return {
    streams,
    queues,
    close: async () => void (await Promise.all([streams.close(), queues.close()])),
  };
}

/** Those of the first connector that keeps some. */
export function embeddedStreamsOf(connectors: readonly Connector[]) {
  for (const connector of connectors)
    if (connector.offers === "stream" && connector.embedded !== undefined) return connector.embedded;
  return undefined;
}

export function embeddedQueuesOf(connectors: readonly Connector[]) {
  for (const connector of connectors)
    if (connector.offers === "queue" && connector.embedded !== undefined) return connector.embedded;
  return undefined;
}

/** What the book needs of either keeper. */
interface AnyKeeper {
  names(): Promise<readonly string[]>;
  has(name: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Finds who keeps a stream or queue: at the place where a mapping of this name reads it, else at the operator's, else
 * at the connector's default. What mappings read counts first, so that what is put in arrives at a function.
 */
export class EmbeddedBook<Keeper extends AnyKeeper> {
  readonly #noun: string;
  readonly #sources: EmbeddedSources<Keeper> | undefined;
  readonly #options: EmbeddedBookOptions;
  /** By their places, of which the operator names so many as there are. */
  readonly #open = new Map<string, Promise<Keeper>>();

  constructor(noun: string, sources: EmbeddedSources<Keeper> | undefined, options: EmbeddedBookOptions) {
    this.#noun = noun;
    this.#sources = sources;
    this.#options = options;
  }

  arnOf(name: string): string {
    return this.#kept().arnOf(name, this.#options.place);
  }

  /** @throws ControlFault ResourceNotFoundException, ResourceConflictException, ServiceException */
  async having(name: string): Promise<Keeper> {
    const found = await this.whoHas(name);
    if (found === undefined) throw this.#missing(name);
    return found;
  }

  /** `undefined`: there is none of this name. @throws ControlFault ResourceConflictException, ServiceException */
  async whoHas(name: string): Promise<Keeper | undefined> {
    const { mapped, fallback } = await this.#places(name);
    const found: Keeper[] = [];
    for (const place of mapped.length === 0 ? [fallback] : mapped) {
      const keeper = await this.#keeper(place, false);
      if (keeper !== undefined && (await toldAsFault(keeper.has(name)))) found.push(keeper);
    }
    if (found.length > 1) throw this.#ambiguous(name);
    return found[0];
  }

  /** Where a new one of this name belongs. @throws ControlFault */
  async forNew(name: string): Promise<Keeper> {
    const { mapped, fallback } = await this.#places(name);
    if (mapped.length > 1) throw this.#ambiguous(name);
    const keeper = await this.#keeper(mapped[0] ?? fallback, true);
    if (keeper === undefined) throw this.#missing(name);
    return keeper;
  }

  /** Each with the name of what it keeps, in the order of names; of two places with one name the one that is found. */
  async all(): Promise<readonly { readonly name: string; readonly keeper: Keeper }[]> {
    const found = new Map<string, Keeper>();
    const { mapped, fallback } = await this.#places(undefined);
    for (const place of new Set([...mapped, fallback])) {
      const keeper = await this.#keeper(place, false);
      if (keeper === undefined) continue;
      for (const name of await toldAsFault(keeper.names())) if (!found.has(name)) found.set(name, keeper);
    }
    return [...found]
      .map(([name, keeper]) => ({ name, keeper }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async close(): Promise<void> {
    const keepers = [...this.#open.values()];
    this.#open.clear();
    for (const keeper of keepers) await keeper.then((open) => open.close()).catch(() => undefined);
  }

  /** `name`: of mappings that read this one; `undefined`: of all that read one. */
  async #places(name: string | undefined) {
    const { endpointName, defaultPlace, nameOf } = this.#kept();
    const mapped = new Set<string>();
    const others = new Set<string>();
    for (const { eventSourceArn, endpoints } of await this.#options.mappings()) {
      const read = eventSourceArn === undefined ? undefined : nameOf(eventSourceArn);
      const [place] = endpoints[endpointName] ?? [];
      if (read === undefined || place === undefined) continue;
      (name === undefined || read === name ? mapped : others).add(resolve(place));
    }
    const [operators] = this.#options.endpoints[endpointName] ?? [];
    // Where all mappings read at one place, a new source is looked for there too.
    const [common] = others.size === 1 ? others : [];
    return { mapped: [...mapped], fallback: resolve(operators ?? common ?? defaultPlace) };
  }

  /** `undefined`: there is nothing at the place. */
  async #keeper(place: string, mayCreate: boolean): Promise<Keeper | undefined> {
    const open = this.#open.get(place) ?? this.#kept().open(place, mayCreate);
    this.#open.set(place, open);
    try {
      return await open;
    } catch (error) {
      this.#open.delete(place);
      if (hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND")) return undefined;
      throw asFault(error);
    }
  }

  #kept(): EmbeddedSources<Keeper> {
    if (this.#sources !== undefined) return this.#sources;
    throw new ControlFault("ResourceNotFoundException", `No connector here keeps a ${this.#noun} itself.`);
  }

  #missing(name: string): ControlFault {
    const message = `There is no ${this.#noun} ${name.slice(0, 200)} here. Make it with millrace ${this.#noun}s create.`;
    return new ControlFault("ResourceNotFoundException", message);
  }

  #ambiguous(name: string): ControlFault {
    const message = `Mappings read a ${this.#noun} ${name.slice(0, 200)} at more than one place. Give the file itself with --file.`;
    return new ControlFault("ResourceConflictException", message);
  }
}

/** Answers of a keeper, with its errors as callers of the API read them. */
export async function toldAsFault<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw asFault(error);
  }
}

/** Paths of this host are not told to callers, who may send and know nothing else. */
function asFault(error: unknown): unknown {
  if (!(error instanceof MillraceError)) return error;
  if (hasErrorCode(error, "ERR_MILLRACE_CONFIG"))
    return new ControlFault("InvalidParameterValueException", error.message);
  if (hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND"))
    return new ControlFault("ResourceNotFoundException", "What was asked for is not there any more.");
  if (hasErrorCode(error, "ERR_MILLRACE_SOURCE_UNAVAILABLE")) {
    const message = "The file of streams and queues cannot be used now. Try again.";
    return new ControlFault("ServiceException", message);
  }
  return new ControlFault("ServiceException", describeError(error));
}
