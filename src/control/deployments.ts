import type { MappingDeployment, QueueDeployment, StreamDeployment } from "../engine/engine.ts";
import { FunctionRoutes } from "../invocation/function-routes.ts";
import type { Pipe } from "../invocation/piped-invoker.ts";
import type { DestinationAddress } from "../manifests/destination-address.ts";
import type {
  FunctionResource,
  MappingResource,
  QueueMappingResource,
  StreamMappingResource,
} from "../manifests/resources.ts";
import {
  describeError,
  type ErrorCode,
  type Fault,
  faultOf,
  isPassing,
  MillraceError,
} from "../model/errors.ts";
import type { Destination } from "../ports/destination.ts";
import type { QueueSource } from "../ports/queue-source.ts";
import type { StreamSource } from "../ports/stream-source.ts";
import type { FunctionBook } from "./function-book.ts";
import { attemptMs, openedPipe } from "./mapping-pipe.ts";

/** What mappings run on, and who makes it. */
export interface DeploymentAdapters {
  /** What is a part of a source is opened by the connector of its mapping. */
  openDestination(
    address: Exclude<DestinationAddress, { readonly kind: "source" | "brought" }>,
  ): Promise<Destination>;
}

/** A mapping with its own source open; `close` closes that, and the destination when no other mapping has it. */
export interface OpenMapping {
  readonly deployment: MappingDeployment;
  /** Never rejects. What could not be closed is returned. Idempotent. */
  close(): Promise<readonly string[]>;
}

/** As a mapping names it. */
interface NamedFunction {
  readonly functionName: string;
  readonly functionArn: string;
}

interface Closable {
  close(): Promise<void>;
}

/** Why something could not be opened: a line for people. */
interface OpenFailure {
  readonly code: ErrorCode;
  readonly fault: Fault;
  readonly message: string;
}

/**
 * Opens what mappings run on. Mappings share functions, which the book of functions opens, and destinations, so that
 * two writers of a file know of each other; each has a source of its own.
 */
export class Deployments {
  readonly #functions: FunctionBook;
  readonly #adapters: DeploymentAdapters;
  readonly #destinations = new SharedDestinations();
  readonly #mappings = new Set<OpenMapping>();

  constructor(functions: FunctionBook, adapters: DeploymentAdapters) {
    this.#functions = functions;
    this.#adapters = adapters;
  }

  /** As they are declared now. */
  get functions(): readonly FunctionResource[] {
    return this.#functions.functions;
  }

  /** @throws MillraceError with all that could not be opened, a line each; what was opened is closed again. */
  async open(resource: MappingResource): Promise<OpenMapping> {
    return (await this.openAll([resource]))[0] ?? unreachable();
  }

  /** All or none. @throws as `open`, with the lines of all mappings. */
  async openAll(resources: readonly MappingResource[]): Promise<readonly OpenMapping[]> {
    const failures = new Map<string, OpenFailure>();
    const attempts = resources.map((resource) => {
      const opening = new Opening();
      const deployed =
        resource.kind === "queue" ? this.#queue(resource, opening) : this.#stream(resource, opening);
      return deployed.then(async (deployment) => {
        for (const failure of opening.failures) failures.set(failure.message, failure);
        if (deployment !== undefined && opening.failures.length === 0) return this.#keep(deployment, opening);
        await opening.close();
        return undefined;
      });
    });
    const opened = (await Promise.all(attempts)).filter((mapping) => mapping !== undefined);
    const [first] = failures.values();
    if (first === undefined) return opened;
    await Promise.all(opened.map((mapping) => mapping.close()));
    // What passes by itself does not help while something else stays.
    const { code, fault } = [...failures.values()].find((failure) => !isPassing(failure.fault)) ?? first;
    throw new MillraceError(code, [...failures.keys()].join("\n"), { fault });
  }

  /** Closes everything; never rejects. What could not be closed is returned. */
  async close(): Promise<readonly string[]> {
    const mappings = await Promise.all([...this.#mappings].map((mapping) => mapping.close()));
    const targets = (await this.#functions.close()).map(({ name, target }) => {
      return { subject: `Function ${name}`, adapter: target };
    });
    return [...mappings.flat(), ...(await closeAll(targets))];
  }

  async #stream(resource: StreamMappingResource, opening: Opening): Promise<StreamDeployment | undefined> {
    const { mapping } = resource;
    const [source, destination, fn, pipe] = await Promise.all([
      opening.open(subjectOf(mapping), () => openStreamSource(resource)),
      this.#destination(resource, opening),
      this.#function(mapping, opening),
      this.#pipe(resource, opening),
    ]);
    if (source === undefined || fn === undefined) return undefined;
    const destinationUri = resource.destination?.uri;
    return { kind: "stream", mapping, source, fn, destination, destinationUri, ...pipe };
  }

  async #queue(resource: QueueMappingResource, opening: Opening): Promise<QueueDeployment | undefined> {
    const { mapping } = resource;
    const [source, fn, pipe] = await Promise.all([
      opening.open(subjectOf(mapping), () => openQueueSource(resource)),
      this.#function(mapping, opening),
      this.#pipe(resource, opening),
    ]);
    const fault = source && visibilityFault(source, this.functions, resource);
    if (fault !== undefined) opening.refuse(subjectOf(mapping), fault);
    if (source === undefined || fn === undefined) return undefined;
    return { kind: "queue", mapping, source, fn, ...pipe };
  }

  async #pipe({ mapping, connector }: MappingResource, opening: Opening): Promise<{ readonly pipe?: Pipe }> {
    if (mapping.pipe === undefined) return {};
    const { enrichment } = mapping.pipe;
    const fn = enrichment && (await this.#function(enrichment, opening));
    try {
      return { pipe: openedPipe(mapping, mapping.pipe, connector, fn) };
    } catch (error) {
      opening.refuse(subjectOf(mapping), error);
      return {};
    }
  }

  async #function({ functionName, functionArn }: NamedFunction, opening: Opening) {
    try {
      const fn = await this.#functions.openFunction(functionName);
      const routes = new FunctionRoutes(fn);
      if (routes.shut(functionArn) !== "notReady") return fn;
      throw new MillraceError("ERR_MILLRACE_FUNCTION", routes.problem(functionArn) ?? "");
    } catch (error) {
      opening.refuse(`Function ${functionName}`, error);
      return undefined;
    }
  }

  /** A part of the mapping's own source, with its own login, is shared with no other. */
  async #destination(resource: StreamMappingResource, opening: Opening): Promise<Destination | undefined> {
    const { destination: address, connector, mapping, settings } = resource;
    if (address === undefined) return undefined;
    if (address.kind === "source") {
      return opening.open(
        `The destination ${address.uri}`,
        () => connector.openDestination?.(mapping, settings, address.uri) ?? noDestination(connector.kind),
      );
    }
    const open = () =>
      address.kind === "brought" ? address.by.open(address.uri) : this.#adapters.openDestination(address);
    const take = () => this.#destinations.take(address.uri, open);
    const shared = await opening.open(`The destination ${address.uri}`, take);
    return shared?.destination;
  }

  #keep(deployment: MappingDeployment, opening: Opening): OpenMapping {
    const mapping: OpenMapping = {
      deployment,
      close: () => {
        this.#mappings.delete(mapping);
        return opening.close();
      },
    };
    this.#mappings.add(mapping);
    return mapping;
  }
}

function noDestination(kind: string): Promise<never> {
  const message = `The connector ${kind} has no destination of its own.`;
  return Promise.reject(new MillraceError("ERR_MILLRACE_CONFIG", message));
}

export function openStreamSource(resource: StreamMappingResource): Promise<StreamSource> {
  return resource.connector.openStream(resource.mapping, resource.settings);
}

export function openQueueSource(resource: QueueMappingResource): Promise<QueueSource> {
  return resource.connector.openQueue(resource.mapping, resource.settings);
}

/** AWS's text for it (queues §1.2): messages would come again while the function still works on them. */
export function visibilityFault(
  { description: { visibilityMs } }: QueueSource,
  functions: readonly FunctionResource[],
  { mapping }: Pick<MappingResource, "mapping">,
): MillraceError | undefined {
  const timeoutMs = attemptMs(mapping, functions);
  if (visibilityMs >= timeoutMs) return undefined;
  return new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `Queue visibility timeout: ${visibilityMs / 1000} seconds is less than Function timeout: ${timeoutMs / 1000} seconds. ` +
      "Raise the queue's visibility time-out, six times the function's is good, or lower the function's timeoutSeconds.",
  );
}

function subjectOf({ name }: MappingResource["mapping"]): string {
  return `EventSourceMapping ${name}`;
}

/** What one mapping has opened, and what it could not. */
class Opening {
  readonly failures: OpenFailure[] = [];
  #opened: { readonly subject: string; readonly adapter: Closable }[] = [];

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
    this.failures.push({ code, fault: faultOf(error), message: `${subject}: ${reason}` });
  }

  close(): Promise<readonly string[]> {
    const opened = this.#opened;
    this.#opened = [];
    return closeAll(opened);
  }
}

/** Destinations by their one spelling: the last mapping that gives one back closes it. */
class SharedDestinations {
  readonly #shared = new Map<string, { users: number; readonly pending: Promise<Destination> }>();

  async take(uri: string, open: () => Promise<Destination>) {
    const shared = this.#shared.get(uri) ?? { users: 0, pending: open() };
    this.#shared.set(uri, shared);
    shared.users += 1;
    const give = async () => {
      shared.users -= 1;
      if (shared.users > 0) return;
      if (this.#shared.get(uri) === shared) this.#shared.delete(uri);
      await (await shared.pending).close();
    };
    try {
      return { destination: await shared.pending, close: give };
    } catch (error) {
      if (this.#shared.get(uri) === shared) this.#shared.delete(uri);
      throw error;
    }
  }
}

async function closeAll(
  opened: readonly { readonly subject: string; readonly adapter: Closable }[],
): Promise<readonly string[]> {
  const results = await Promise.allSettled(opened.map(({ adapter }) => adapter.close()));
  return results.flatMap((result, index) => {
    if (result.status === "fulfilled") return [];
    return [`${opened[index]?.subject}: ${describeError(result.reason)}`];
  });
}

function unreachable(): never {
  throw new MillraceError("ERR_MILLRACE_INVARIANT", "A mapping was opened and is not there");
}
