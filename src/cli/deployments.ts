import type { InvocableFunction, MappingDeployment } from "../engine/engine.ts";
import type { Manifests } from "../manifests/load-manifests.ts";
import type { FunctionResource, MappingResource } from "../manifests/resources.ts";
import { describeError, type ErrorCode, MillraceError } from "../model/errors.ts";
import type { Destination } from "../ports/destination.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { StreamSource } from "../ports/stream-source.ts";
import type { Adapters } from "./adapters.ts";
import type { StoreUrl } from "./store-url.ts";

/** All that the enabled mappings run on, open. */
export interface Deployments {
  readonly store: ProgressStore;
  readonly mappings: readonly MappingDeployment[];
  /** Closes everything; never rejects. What could not be closed is returned. */
  close(): Promise<readonly string[]>;
}

interface Closable {
  close(): Promise<void>;
}

/**
 * Opens the store and, for each enabled mapping, its source, function and destination.
 * @throws MillraceError with all that could not be opened, a line each; what was opened is closed again.
 */
export async function openDeployments(
  { functions, mappings }: Manifests,
  storeUrl: StoreUrl,
  adapters: Adapters,
  onFunctionOutput: (line: string) => void,
): Promise<Deployments> {
  const enabled = mappings.filter(({ mapping }) => mapping.enabled);
  const opened = new OpenedAdapters();
  const store = opened.open("The store", () => adapters.openStore(storeUrl));
  const fns = new Map<string, Promise<InvocableFunction | undefined>>();
  for (const fn of functions.filter(({ name }) =>
    enabled.some(({ functionName }) => functionName === name),
  )) {
    fns.set(fn.name, openFunction(fn, adapters, opened, onFunctionOutput));
  }
  const destinations = new Map<string, Promise<Destination | undefined>>();
  const sources = enabled.map(async (resource) => {
    const source = await openSource(resource, opened);
    const destination = await openDestination(resource, adapters, opened, destinations);
    const fn = await fns.get(resource.functionName);
    if (source === undefined || fn === undefined) return [];
    return [{ kind: "stream" as const, mapping: resource.mapping, source, fn, destination }];
  });
  const deployments = (await Promise.all(sources)).flat();
  await Promise.all(fns.values());
  const openStore = await store;
  if (opened.failure !== undefined || openStore === undefined) {
    await opened.close();
    throw opened.failure ?? new Error("The store was not opened.");
  }
  return { store: openStore, mappings: deployments, close: () => opened.close() };
}

async function openFunction(
  { name, timeoutMs, concurrency, ...resource }: FunctionResource,
  adapters: Adapters,
  opened: OpenedAdapters,
  onOutput: (line: string) => void,
): Promise<InvocableFunction | undefined> {
  const target = await opened.open(`Function ${name}`, () =>
    adapters.openFunction({ name, timeoutMs, concurrency, ...resource }, onOutput),
  );
  return target === undefined ? undefined : { name, target, timeoutMs, concurrency };
}

function openSource(
  { mapping, connector, endpoints }: MappingResource,
  opened: OpenedAdapters,
): Promise<StreamSource | undefined> {
  return opened.open(`EventSourceMapping ${mapping.name}`, () => connector.openStream(mapping, endpoints));
}

/** Mappings that name the same destination share one, so that two writers of a file know of each other. */
async function openDestination(
  { destination: address }: MappingResource,
  adapters: Adapters,
  opened: OpenedAdapters,
  destinations: Map<string, Promise<Destination | undefined>>,
): Promise<Destination | undefined> {
  if (address === undefined) return undefined;
  const { uri } = address;
  let destination = destinations.get(uri);
  if (destination === undefined) {
    destination = opened.open(`The destination ${uri}`, () => adapters.openDestination(address));
    destinations.set(uri, destination);
  }
  return destination;
}

class OpenedAdapters {
  readonly #opened: { readonly subject: string; readonly adapter: Closable }[] = [];
  readonly #failures: { readonly code: ErrorCode; readonly message: string }[] = [];

  async open<A extends Closable>(subject: string, open: () => Promise<A>): Promise<A | undefined> {
    try {
      const adapter = await open();
      this.#opened.push({ subject, adapter });
      return adapter;
    } catch (error) {
      const code = error instanceof MillraceError ? error.code : "ERR_MILLRACE_INVARIANT";
      const reason = error instanceof MillraceError ? error.message : describeError(error);
      this.#failures.push({ code, message: `${subject}: ${reason}` });
      return undefined;
    }
  }

  get failure(): MillraceError | undefined {
    const [first] = this.#failures;
    if (first === undefined) return undefined;
    return new MillraceError(first.code, this.#failures.map(({ message }) => message).join("\n"));
  }

  async close(): Promise<readonly string[]> {
    const results = await Promise.allSettled(this.#opened.map(({ adapter }) => adapter.close()));
    return results.flatMap((result, index) => {
      if (result.status === "fulfilled") return [];
      return [`${this.#opened[index]?.subject}: ${describeError(result.reason)}`];
    });
  }
}
