import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/**
 * Stands between one process and its store. While it hangs, connections stay, also new ones, and no byte goes either
 * way; what was sent meanwhile arrives when it goes on. It can also reset all connections.
 */
export class StoreProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #hangs = false;
  #resets = false;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      if (this.#resets) client.on("error", () => undefined).resetAndDestroy();
      else this.#join(client, connect(targetPort, "127.0.0.1"));
    });
  }

  static async start(targetPort: number): Promise<StoreProxy> {
    const proxy = new StoreProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections are reset, also new ones: as of a server that is not there. */
  reset(): void {
    this.#resets = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  hang(): void {
    this.#hangs = true;
    for (const socket of this.#sockets) socket.pause();
  }

  goOn(): void {
    this.#hangs = false;
    this.#resets = false;
    for (const socket of this.#sockets) socket.resume();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #join(client: Socket, server: Socket): void {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", () => undefined);
      from.on("data", (bytes: Buffer) => to.write(bytes));
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#hangs) from.pause();
    }
  }
}
