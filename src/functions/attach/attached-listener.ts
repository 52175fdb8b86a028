import type { AddressInfo, Socket } from "node:net";
import type { Listener, OpenListener, RuntimeApi } from "../runtime/listener.ts";
import { RuntimeExchange } from "../runtime/runtime-exchange.ts";
import type { WireRequest } from "../runtime/wire-request.ts";
import { createWireServer, type WireServer } from "../runtime/wire-server.ts";

const NEXT = "/2018-06-01/runtime/invocation/next";

/**
 * The Runtime API at one address that stays, for a process that somebody else starts, and starts again. Who asks for an
 * event while there is no session waits for the next one.
 */
export class AttachedListener implements Listener {
  readonly #wire: WireServer;
  readonly #onRestarted: () => void;
  #api: RuntimeApi | undefined;
  /** Whoever has the event that is worked on. */
  #worker: Socket | undefined;
  #waiting: WireRequest[] = [];

  /** `onRestarted`: a process asks for an event, and the one that has one has not answered: it is gone. */
  constructor(onRestarted: () => void) {
    this.#onRestarted = onRestarted;
    this.#wire = createWireServer((request) => this.#answer(request));
  }

  async listen(host: string, port: number): Promise<string> {
    const { server } = this.#wire;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => resolve());
    });
    server.on("error", () => {});
    return `${host}:${(server.address() as AddressInfo).port}`;
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
    this.#wire.close();
  }

  #answer(request: WireRequest): void {
    const { method, path } = request.head;
    const isNext = method === "GET" && path === NEXT;
    if (isNext && this.#api?.stateName === "Running" && request.socket !== this.#worker) this.#onRestarted();
    if (this.#api === undefined && isNext) {
      this.#waiting.push(request);
      request.whenHungUp(() => {
        this.#waiting = this.#waiting.filter((each) => each !== request);
      });
      return;
    }
    if (isNext) this.#worker = request.socket;
    new RuntimeExchange(this.#api ?? NOBODY, request).answer();
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
