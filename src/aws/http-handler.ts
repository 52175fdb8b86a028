import { NodeHttpHandler } from "@smithy/node-http-handler";
import { Slots, type Turn } from "../lib/slots.ts";

const CONNECT_MS_MAX = 5_000;
const CONNECTIONS_MAX = 50;
const REQUESTS = "requests";

type HttpRequest = Parameters<NodeHttpHandler["handle"]>[0];
type HttpOptions = Parameters<NodeHttpHandler["handle"]>[1];
type HttpResult = Awaited<ReturnType<NodeHttpHandler["handle"]>>;

/** HTTP/1.1: emulators fail over HTTP/2. Deadlines are the calls' own. What waits for a connection is no news. */
export function createHttpHandler(
  connections = CONNECTIONS_MAX,
  connectMs = CONNECT_MS_MAX,
  silenceMs?: number,
): NodeHttpHandler {
  const agent = { keepAlive: true, maxSockets: connections };
  const options = {
    connectionTimeout: connectMs,
    ...(silenceMs === undefined ? {} : { socketTimeout: silenceMs }),
    httpAgent: agent,
    httpsAgent: agent,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  };
  return new PatientHandler(options, connections);
}

/**
 * Lets requests wait for their turn before the SDK's clock runs: that takes the wait for a free connection for time
 * that a connection took to be made, and calls a service that answers slowly one that cannot be reached.
 */
class PatientHandler extends NodeHttpHandler {
  readonly #turns: Slots;

  constructor(options: ConstructorParameters<typeof NodeHttpHandler>[0], connections: number) {
    super(options);
    this.#turns = new Slots(connections);
  }

  override handle(request: HttpRequest, options?: HttpOptions): Promise<HttpResult> {
    const turn = this.#turns.take(REQUESTS);
    return turn === undefined ? this.#send(request, options) : this.#sendInTurn(turn, request, options);
  }

  async #sendInTurn(turn: Turn, request: HttpRequest, options: HttpOptions = {}): Promise<HttpResult> {
    const { abortSignal } = options;
    const leave = () => turn.leave();
    if (abortSignal instanceof AbortSignal) {
      if (abortSignal.aborted) leave();
      abortSignal.addEventListener("abort", leave, { once: true });
    }
    const isGranted = await turn.granted;
    if (abortSignal instanceof AbortSignal) abortSignal.removeEventListener("abort", leave);
    if (!isGranted) throw Object.assign(new Error("Request aborted"), { name: "AbortError" });
    return await this.#send(request, options);
  }

  async #send(request: HttpRequest, options?: HttpOptions): Promise<HttpResult> {
    try {
      return await super.handle(request, options);
    } finally {
      this.#turns.give(REQUESTS);
    }
  }
}
