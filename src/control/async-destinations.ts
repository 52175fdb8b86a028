import { parseAsyncDestination } from "../manifests/async-destination.ts";
import type { DestinationAddress } from "../manifests/destination-address.ts";
import type { NewAsyncItem } from "../model/async-item.ts";
import type { Envelope } from "../model/envelope.ts";
import { MillraceError } from "../model/errors.ts";
import type { AsyncDestinations, AsyncRoute, BusEntry } from "../ports/async-destinations.ts";
import type { Delivered, Destination } from "../ports/destination.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";

export interface OpenedAsyncDestinationsOptions {
  openDestination(
    address: Exclude<DestinationAddress, { readonly kind: "source" | "brought" }>,
  ): Promise<Destination>;
  openHttpDestination(url: string): Promise<Destination>;
  /** Kinds beside AWS's. */
  readonly kinds: readonly DestinationKind[];
  /** What the rules of a bus make of an entry; `undefined`: there is no such bus here. */
  toBus?(bus: string, entry: BusEntry): readonly NewAsyncItem[] | undefined;
}

/** Destinations of asynchronous events, each opened at its first delivery; one that cannot be is tried again. */
export class OpenedAsyncDestinations implements AsyncDestinations {
  readonly #options: OpenedAsyncDestinationsOptions;
  readonly #open = new Map<string, Promise<Destination>>();

  constructor(options: OpenedAsyncDestinationsOptions) {
    this.#options = options;
  }

  routeOf(uri: string): AsyncRoute {
    const read = parseAsyncDestination(uri, "/", this.#options.kinds);
    if (read.kind === "function") return { kind: "function", name: read.name, qualifier: read.qualifier };
    const { toBus } = this.#options;
    if (read.kind === "bus" && toBus !== undefined)
      return { kind: "bus", itemsOf: (entry) => toBus(read.bus, entry) ?? notStarted(uri) };
    return { kind: "delivery" };
  }

  async deliver(uri: string, envelope: Envelope, signal: AbortSignal): Promise<Delivered | undefined> {
    let open = this.#open.get(uri);
    if (open === undefined) {
      open = this.#opened(uri);
      this.#open.set(uri, open);
      open.catch(() => this.#open.delete(uri));
    }
    const destination = await open;
    return await destination.deliver(envelope, signal);
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#open.values());
    await Promise.allSettled(
      opened.map((each) => (each.status === "fulfilled" ? each.value.close() : undefined)),
    );
  }

  /** What is wrong may be mended: nothing of it is a reason to drop a record at once. */
  async #opened(uri: string): Promise<Destination> {
    const { openDestination, openHttpDestination, kinds } = this.#options;
    const read = parseAsyncDestination(uri, "/", kinds);
    switch (read.kind) {
      case "http":
        return await openHttpDestination(read.uri);
      case "stored":
        if (read.address.kind === "brought") return await read.address.by.open(read.uri);
        if (read.address.kind === "source") throw unavailable(uri, "it is a part of a mapping's source");
        return await openDestination(read.address);
      case "bus":
        throw unavailable(uri, "this millrace has no event buses");
      case "function":
        throw unavailable(uri, "a function gets records as events");
      case "fault":
        throw unavailable(uri, read.message);
    }
  }
}

/** Its rules are not known yet: the event that came to its end is looked at again when they are. */
function notStarted(uri: string): never {
  throw unavailable(uri, "its rules are not known yet");
}

function unavailable(uri: string, reason: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
    `The destination ${uri} cannot be used: ${reason}. Name another in the function's configuration.`,
  );
}
