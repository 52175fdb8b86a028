import { randomUUID } from "node:crypto";

/** What an extension is told of the function that it is beside. */
export interface ExtendedFunction {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly handler: string;
  readonly accountId: string;
  readonly memoryMb: number;
}

/** What of an event extensions are told. */
export interface ExtendedEvent {
  readonly requestId: string;
  readonly functionArn: string;
  /** Epoch milliseconds. */
  readonly deadlineMs: number;
  readonly traceId: string;
}

export type ExtensionEvent =
  | { readonly eventType: "INVOKE"; readonly event: ExtendedEvent }
  | { readonly eventType: "SHUTDOWN"; readonly deadlineMs: number; readonly shutdownReason: ShutdownReason };

export type ShutdownReason = "SPINDOWN" | "TIMEOUT" | "FAILURE";

/** Whoever asked for the next event, and waits. */
export interface HeldExtension {
  deliver(event: ExtensionEvent): void;
}

/** What an extension did that it may not; AWS's types and texts (invocation §5). */
export interface ExtensionFault {
  readonly errorType: string;
  readonly errorMessage: string;
}

interface Extension {
  readonly name: string;
  readonly isExternal: boolean;
  readonly wanted: ReadonlySet<string>;
  /** It has asked for an event, and waits. */
  held: HeldExtension | undefined;
  /** What it is told as soon as it asks: the end waits for it. */
  awaits: ExtensionEvent | undefined;
}

/** Lambda's. */
const EXTENSIONS_MAX = 10;
const EVENTS: readonly string[] = ["INVOKE", "SHUTDOWN"];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The extensions of one process (invocation §5): those that were started beside it, and those that its own code
 * registers. An event is over, and a start, when all of them have asked for the next.
 */
export class ExtensionSet {
  readonly #function: ExtendedFunction;
  /** Names of those that were started, and have not registered. */
  readonly #awaited: Set<string>;
  readonly #externals: ReadonlySet<string>;
  readonly #extensions = new Map<string, Extension>();
  readonly #onReady: () => void;
  #isOpen = true;

  /** `onReady`: all of them wait, where one did not before. */
  constructor(fn: ExtendedFunction, externals: readonly string[], onReady: () => void) {
    this.#function = fn;
    this.#externals = new Set(externals);
    this.#awaited = new Set(externals);
    this.#onReady = onReady;
  }

  /** All of them wait for an event. */
  get isReady(): boolean {
    if (this.#awaited.size > 0) return false;
    return [...this.#extensions.values()].every(({ held }) => held !== undefined);
  }

  /** Some are started beside it, and are told of its end. */
  get wantsShutdown(): boolean {
    return [...this.#extensions.values()].some(({ wanted }) => wanted.has("SHUTDOWN"));
  }

  /** Its start is over. */
  close(): void {
    this.#isOpen = false;
  }

  register(
    name: string | undefined,
    events: unknown,
  ): { readonly id: string; readonly fn: ExtendedFunction } | ExtensionFault {
    if (name === undefined || name === "") return fault("InvalidExtensionName", "Empty extension name");
    if (!this.#isOpen) return fault("RegistrationClosed", "Extension registration closed already");
    if (this.#extensions.size >= EXTENSIONS_MAX)
      return fault("TooManyExtensions", `Extension limit (${EXTENSIONS_MAX}) reached`);
    if ([...this.#extensions.values()].some((each) => each.name === name))
      return fault("InvalidExtensionState", `Extension ${name} is registered already`);
    const wanted = Array.isArray(events) ? events.map(String) : [];
    const isExternal = this.#externals.has(name);
    const wrong = wanted.find((each) => !EVENTS.includes(each) || (each === "SHUTDOWN" && !isExternal));
    if (wrong !== undefined) return fault("InvalidEventType", `${wrong}: event type not supported`);
    this.#awaited.delete(name);
    const id = randomUUID();
    this.#extensions.set(id, {
      ...{ name, isExternal, wanted: new Set(wanted), held: undefined, awaits: undefined },
    });
    return { id, fn: this.#function };
  }

  /** `undefined`: it waits now, and gets the event, then or later. */
  next(id: string | undefined, held: HeldExtension): ExtensionFault | undefined {
    const found = this.#find(id);
    if ("errorType" in found) return found;
    if (found.held !== undefined) return fault("InvalidExtensionState", "The extension waits already");
    if (found.awaits !== undefined) {
      held.deliver(found.awaits);
      return undefined;
    }
    found.held = held;
    if (this.isReady) this.#onReady();
    return undefined;
  }

  /** It waited, and hung up. `true`: it was one of these. */
  hungUp(held: HeldExtension): boolean {
    for (const extension of this.#extensions.values()) {
      if (extension.held !== held) continue;
      extension.held = undefined;
      return true;
    }
    return false;
  }

  /** Its name, where there is such an extension. */
  nameOf(id: string | undefined): string | ExtensionFault {
    const found = this.#find(id);
    return "errorType" in found ? found : found.name;
  }

  invoke(event: ExtendedEvent): void {
    this.#tell({ eventType: "INVOKE", event });
  }

  shutDown(deadlineMs: number, shutdownReason: ShutdownReason): void {
    this.#tell({ eventType: "SHUTDOWN", deadlineMs, shutdownReason });
  }

  #tell(event: ExtensionEvent): void {
    for (const extension of this.#extensions.values()) {
      if (!extension.wanted.has(event.eventType)) continue;
      const { held } = extension;
      if (event.eventType === "SHUTDOWN" && held === undefined) extension.awaits = event;
      extension.held = undefined;
      held?.deliver(event);
    }
  }

  #find(id: string | undefined): Extension | ExtensionFault {
    if (id === undefined)
      return fault("MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header");
    if (!UUID.test(id)) return fault("InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier");
    return this.#extensions.get(id) ?? fault("UnknownExtensionIdentifier", `Unknown extension ${id}`);
  }
}

function fault(type: string, errorMessage: string): ExtensionFault {
  return { errorType: `Extension.${type}`, errorMessage };
}
