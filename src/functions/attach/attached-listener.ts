import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { RuntimeExchange } from "../runtime/http-listener.ts";
import type { Listener, OpenListener, RuntimeApi } from "../runtime/listener.ts";

const HEADER_BYTES_MAX = 16 * 1024;
const NEXT = "/2018-06-01/runtime/invocation/next";

interface Waiting {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * The Runtime API at one address that stays, for a process that somebody else starts, and starts again. Who asks for an
 * event while there is no session waits for the next one.
 */
export class AttachedListener implements Listener {
  readonly #server: Server;
  readonly #onRestarted: () => void;
  #api: RuntimeApi | undefined;
  /** Whoever has the event that is worked on. */
  #worker: Socket | undefined;
  #waiting: Waiting[] = [];

  /** `onRestarted`: a process asks for an event, and the one that has one has not answered: it is gone. */
  constructor(onRestarted: () => void) {
    this.#onRestarted = onRestarted;
    this.#server = createServer(
      { keepAliveTimeout: 0, maxHeaderSize: HEADER_BYTES_MAX },
      (request, response) => this.#answer({ request, response }),
    );
    this.#server.requestTimeout = 0;
    this.#server.headersTimeout = 0;
  }

  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => resolve());
    });
    this.#server.on("error", () => {});
    return `${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  open(api: RuntimeApi, onOpen: (opened: OpenListener | Error) => void): void {
    this.#api = api;
    onOpen({
      address: "",
      close: () => {
        if (this.#api === api) this.#api = undefined;
        this.#worker = undefined;
      },
    });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) this.#answer(each);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(exchange: Waiting): void {
    const { request, response } = exchange;
    const isNext = request.method === "GET" && request.url?.split("?", 1)[0] === NEXT;
    if (isNext && this.#api?.stateName === "Running" && request.socket !== this.#worker) this.#onRestarted();
    if (this.#api === undefined && isNext) {
      this.#waiting.push(exchange);
      response.once("close", () => {
        this.#waiting = this.#waiting.filter((each) => each !== exchange);
      });
      return;
    }
    if (isNext) this.#worker = request.socket;
    new RuntimeExchange(this.#api ?? NOBODY, request, response).answer();
  }
}

/** What a process says whose call has ended reaches nobody. */
const NOBODY = {
  next: () => "notAllowed",
  hungUp: () => {},
  beginAnswer: () => "wrongId",
  endAnswer: (_id, _answer, reply) => reply("wrongId"),
  openStream: () => undefined,
  breakAnswer: () => {},
  initError: () => "notAllowed",
  stateName: "Started",
  extensions: undefined,
} satisfies RuntimeApi & { readonly extensions: undefined };
