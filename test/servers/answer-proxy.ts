import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";

/** `cut`: the connection ends in the place of an answer. `swallow`: it stays, and nothing comes. */
export type Loss = "cut" | "swallow";

/**
 * Stands between a client and a server on loopback and loses one answer, after the server has given it: so what was
 * asked for is done, and the one who asked does not know.
 */
export class AnswerProxy {
  /** Answers that were lost so far. */
  lost = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #loss: Loss | undefined;
  #answersBefore = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#join(client, connect(targetPort, "127.0.0.1")));
  }

  static async start(targetPort: number): Promise<AnswerProxy> {
    const proxy = new AnswerProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Loses one answer, after `answersBefore` others. */
  loseAnswer(loss: Loss, answersBefore = 0): void {
    this.#loss = loss;
    this.#answersBefore = answersBefore;
  }

  heal(): void {
    this.#loss = undefined;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #join(client: Socket, server: Socket): void {
    let isAsked = false;
    let isSilent = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on("data", (question: Buffer) => {
      isAsked = true;
      server.write(question);
    });
    server.on("data", (answer: Buffer) => {
      if (isSilent) return;
      const loss = isAsked ? this.#lossOfNext() : undefined;
      isAsked = false;
      if (loss === "cut") client.destroy();
      else if (loss === "swallow") isSilent = true;
      else client.write(answer);
    });
  }

  #lossOfNext(): Loss | undefined {
    const loss = this.#loss;
    if (loss === undefined || this.#answersBefore-- > 0) return undefined;
    this.#loss = undefined;
    this.lost += 1;
    return loss;
  }
}
