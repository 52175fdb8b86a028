import { type DestinationAddress, parseDestination } from "../manifests/destination-address.ts";
import type { MappingResource, StreamMappingResource } from "../manifests/resources.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import type { FailureReader } from "../ports/failure-reader.ts";

/** Who makes readers of what failure destinations keep; `undefined`: a destination of this kind cannot be read. */
export type OpenFailureReader = (
  address: Exclude<DestinationAddress, { readonly kind: "source" | "brought" }>,
) => Promise<FailureReader | undefined>;

/** Readers of failure destinations, each opened when it is first asked and kept until the end. */
export class FailureReaders {
  readonly #open: OpenFailureReader;
  readonly #brought: readonly DestinationKind[];
  readonly #readers = new Map<string, Promise<FailureReader | undefined>>();

  constructor(open: OpenFailureReader, brought: readonly DestinationKind[]) {
    this.#open = open;
    this.#brought = brought;
  }

  /**
   * The reader of a row's destination: the mapping's of now, or another that it had before.
   * @throws MillraceError when it cannot be opened.
   */
  readerOf(resource: MappingResource, destination: string): Promise<FailureReader | undefined> {
    const key = `${resource.mapping.uuid} ${destination}`;
    const known = this.#readers.get(key);
    if (known !== undefined) return known;
    const opening = resource.kind === "stream" ? this.#reader(resource, destination) : nobody();
    opening.catch(() => this.#readers.delete(key));
    this.#readers.set(key, opening);
    return opening;
  }

  /**
   * The reader of a destination of asynchronous events. `undefined`: what it keeps cannot be read again.
   * @throws MillraceError when it cannot be opened.
   */
  eventReaderOf(destination: string): Promise<FailureReader | undefined> {
    const known = this.#readers.get(destination);
    if (known !== undefined) return known;
    const address = parseDestination(destination, "/", [], this.#brought);
    const isRead = address.kind !== "fault" && address.kind !== "brought" && address.kind !== "source";
    const opening = isRead ? this.#open(address) : nobody();
    opening.catch(() => this.#readers.delete(destination));
    this.#readers.set(destination, opening);
    return opening;
  }

  async close(): Promise<void> {
    const opened = [...this.#readers.values()];
    this.#readers.clear();
    await Promise.allSettled(opened.map(async (reader) => (await reader)?.close()));
  }

  async #reader(resource: StreamMappingResource, uri: string): Promise<FailureReader | undefined> {
    const { connector, mapping, settings } = resource;
    const ofSource = connector.parameters.destination;
    const address = parseDestination(uri, "/", ofSource === undefined ? [] : [ofSource], this.#brought);
    if (address.kind === "fault" || address.kind === "brought") return undefined;
    if (address.kind === "source") return connector.openFailureReader?.(mapping, settings, address.uri);
    return this.#open(address);
  }
}

async function nobody(): Promise<undefined> {
  return undefined;
}
