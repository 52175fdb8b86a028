import type {
  InvocableFunction,
  MappingDeployment,
  QueueDeployment,
  StreamDeployment,
} from "../engine/engine.ts";
import type { Manifests } from "../manifests/load-manifests.ts";
import type {
  FunctionResource,
  MappingResource,
  QueueMappingResource,
  StreamMappingResource,
  TopicMappingResource,
} from "../manifests/resources.ts";
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
  const pending = enabled.map((resource): Promise<MappingDeployment | undefined> => {
    const fn = fns.get(resource.functionName);
    return resource.kind === "queue"
      ? deployQueue(resource, functions, fn, opened)
      : deployStream(resource, fn, opened, () => openDestination(resource, adapters, opened, destinations));
  });
  const deployments = (await Promise.all(pending)).filter((deployment) => deployment !== undefined);
  await Promise.all(fns.values());
  const openStore = await store;
  if (opened.failure !== undefined || openStore === undefined) {
    await opened.close();
    throw opened.failure ?? new Error("The store was not opened.");
  }
  return { store: openStore, mappings: deployments, close: () => opened.close() };
}

async function openFunction(
  resource: FunctionResource,
  adapters: Adapters,
  opened: OpenedAdapters,
  onOutput: (line: string) => void,
): Promise<InvocableFunction | undefined> {
  const { name, timeoutMs, concurrency, isConcurrencyAdaptive } = resource;
  const target = await opened.open(`Function ${name}`, () => adapters.openFunction(resource, onOutput));
  return target === undefined ? undefined : { name, target, timeoutMs, concurrency, isConcurrencyAdaptive };
}

async function deployStream(
  resource: StreamMappingResource | TopicMappingResource,
  pendingFn: Promise<InvocableFunction | undefined> | undefined,
  opened: OpenedAdapters,
  open: () => Promise<Destination | undefined>,
): Promise<StreamDeployment | undefined> {
  const { mapping } = resource;
  const source = await opened.open(subjectOf(mapping), () => openSource(resource));
  const destination = await open();
  const fn = await pendingFn;
  if (source === undefined || fn === undefined) return undefined;
  return { kind: "stream", mapping, source, fn, destination };
}

function openSource(resource: StreamMappingResource | TopicMappingResource): Promise<StreamSource> {
  if (resource.kind === "topic") return resource.connector.openTopic(resource.mapping);
  return resource.connector.openStream(resource.mapping, resource.endpoints);
}

async function deployQueue(
  { mapping, connector, endpoints, functionName }: QueueMappingResource,
  functions: readonly FunctionResource[],
  pendingFn: Promise<InvocableFunction | undefined> | undefined,
  opened: OpenedAdapters,
): Promise<QueueDeployment | undefined> {
  const source = await opened.open(subjectOf(mapping), () => connector.openQueue(mapping, endpoints));
  const timeoutMs = functions.find(({ name }) => name === functionName)?.timeoutMs ?? 0;
  const visibilityMs = source?.description.visibilityMs ?? Number.POSITIVE_INFINITY;
  if (visibilityMs < timeoutMs)
    opened.refuse(subjectOf(mapping), visibilityTooShort(visibilityMs, timeoutMs));
  const fn = await pendingFn;
  if (source === undefined || fn === undefined) return undefined;
  return { kind: "queue", mapping, source, fn };
}

/** AWS's text for it (queues §1.2): messages would come again while the function still works on them. */
function visibilityTooShort(visibilityMs: number, timeoutMs: number): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `Queue visibility timeout: ${visibilityMs / 1000} seconds is less than Function timeout: ${timeoutMs / 1000} seconds. ` +
      "Raise the queue's visibility time-out, six times the function's is good, or lower the function's timeoutSeconds.",
  );
}

function subjectOf({ name }: MappingResource["mapping"]): string {
  return `EventSourceMapping ${name}`;
}

/**
 * Mappings that name the same destination share one, so that two writers of a file know of each other. A topic belongs to
 * the mapping's own cluster and login.
 */
async function openDestination(
  resource: StreamMappingResource | TopicMappingResource,
  adapters: Adapters,
  opened: OpenedAdapters,
  destinations: Map<string, Promise<Destination | undefined>>,
): Promise<Destination | undefined> {
  const { destination: address } = resource;
  if (address === undefined) return undefined;
  const { uri } = address;
  if (address.kind === "kafka") {
    if (resource.kind !== "topic") return undefined;
    const { connector, mapping } = resource;
    return opened.open(`The destination ${uri}`, () =>
      connector.openTopicDestination(mapping, address.topic),
    );
  }
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
      this.refuse(subject, error);
      return undefined;
    }
  }

  refuse(subject: string, error: unknown): void {
    const code = error instanceof MillraceError ? error.code : "ERR_MILLRACE_INVARIANT";
    const reason = error instanceof MillraceError ? error.message : describeError(error);
    this.#failures.push({ code, message: `${subject}: ${reason}` });
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
