import type { ExtensionEvent, ExtensionFault, HeldExtension } from "./extension-set.ts";
import type { ExtensionsApi } from "./listener.ts";
import { readBody } from "./request-body.ts";
import type { TelemetryApi } from "./telemetry-subscription.ts";
import type { WireRequest } from "./wire-request.ts";

const BASE = "/2020-01-01/extension";
const BODY_BYTES_MAX = 64 * 1024;
const NO_BYTES = new Uint8Array(0);

/** `call`: method and path. `false`: it is none of extensions' (invocation §5). */
export function answerExtension(
  call: string,
  extensions: ExtensionsApi | undefined,
  request: WireRequest,
): boolean {
  if (extensions === undefined) return false;
  const exchange = new ExtensionExchange(extensions, request);
  switch (call) {
    case `POST ${BASE}/register`:
      exchange.register();
      return true;
    case `GET ${BASE}/event/next`:
      exchange.next();
      return true;
    case `POST ${BASE}/init/error`:
      exchange.fail("Extension.InitError");
      return true;
    case `POST ${BASE}/exit/error`:
      exchange.fail("Extension.ExitError");
      return true;
    case "PUT /2022-07-01/telemetry":
      exchange.subscribe("telemetry");
      return true;
    case "PUT /2020-08-15/logs":
      exchange.subscribe("logs");
      return true;
    default:
      return false;
  }
}

class ExtensionExchange {
  readonly #extensions: ExtensionsApi;
  readonly #request: WireRequest;

  constructor(extensions: ExtensionsApi, request: WireRequest) {
    this.#extensions = extensions;
    this.#request = request;
  }

  register(): void {
    const wrong = { errorMessage: "Invalid request format", errorType: "InvalidRequestFormat" };
    readBody(this.#request, BODY_BYTES_MAX, {
      onRead: (body) => {
        const events = eventsOf(body);
        if (events === undefined) this.end(403, wrong);
        else this.#register(events);
      },
      onTooLarge: () => this.end(403, wrong),
      onBroken: () => {},
    });
  }

  #register(events: unknown): void {
    const registered = this.#extensions.register(this.#header("lambda-extension-name"), events);
    if ("errorType" in registered) {
      this.end(403, registered);
      return;
    }
    const { accountId, memoryMb: _memoryMb, ...fn } = registered.fn;
    const features = (this.#header("lambda-extension-accept-feature") ?? "").split(",");
    const wantsAccount = features.some((feature) => feature.trim() === "accountId");
    const identifier = `Lambda-Extension-Identifier: ${registered.id}\r\n`;
    this.end(200, wantsAccount ? { ...fn, accountId } : fn, identifier);
  }

  next(): void {
    const held: HeldExtension = {
      deliver: (event) => {
        this.end(200, told(event), `Lambda-Extension-Event-Identifier: ${crypto.randomUUID()}\r\n`);
      },
    };
    this.#request.whenHungUp(() => this.#extensions.hungUp(held));
    const fault = this.#extensions.next(this.#identifier, held);
    if (fault !== undefined) this.end(403, fault);
  }

  subscribe(api: TelemetryApi): void {
    const answer = (body: Uint8Array) => {
      const answered = this.#extensions.subscribe(this.#identifier, api, body);
      if ("errorType" in answered) this.end(403, answered);
      else this.#request.answer(answered.status, "Content-Type: application/json\r\n", answered.body);
    };
    readBody(this.#request, BODY_BYTES_MAX, {
      onRead: answer,
      onTooLarge: () => answer(NO_BYTES),
      onBroken: () => {},
    });
  }

  fail(errorType: "Extension.InitError" | "Extension.ExitError"): void {
    const said = this.#header("lambda-extension-function-error-type");
    if (said === undefined || said === "") {
      const errorMessage = "Lambda-Extension-Function-Error-Type not set";
      this.end(403, { errorMessage, errorType: "Extension.MissingHeader" });
      return;
    }
    const fault = this.#extensions.fail(this.#identifier, errorType, said.slice(0, 256), () =>
      this.end(202, { status: "OK" }),
    );
    if (fault !== undefined) this.end(403, fault);
  }

  end(status: number, body: object | ExtensionFault, headers = ""): void {
    this.#request.answer(status, `${headers}Content-Type: application/json\r\n`, JSON.stringify(body));
  }

  get #identifier(): string | undefined {
    return this.#header("lambda-extension-identifier");
  }

  #header(name: string): string | undefined {
    return this.#request.header(name);
  }
}

/** `undefined`: it is not what an extension registers with. */
function eventsOf(body: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    if (typeof value !== "object" || value === null) return undefined;
    return "events" in value ? value.events : [];
  } catch {
    return undefined;
  }
}

function told(event: ExtensionEvent): object {
  if (event.eventType === "SHUTDOWN") return event;
  const { requestId, functionArn, deadlineMs, traceId } = event.event;
  return {
    eventType: "INVOKE",
    deadlineMs: Math.round(deadlineMs),
    requestId,
    invokedFunctionArn: functionArn,
    tracing: { type: "X-Amzn-Trace-Id", value: traceId },
  };
}
