import { connect, type Socket } from "node:net";

const HEAD_END = Buffer.from("\r\n\r\n");

/**
 * The limit of what a POST can cost in Node: one socket, one write, and an answer whose head is looked at for its
 * length alone. No deadlines, no errors, no second try.
 */
export class RawPost {
  readonly #socket: Socket;
  readonly #host: string;
  #chunks: Buffer[] = [];
  #missing = Number.POSITIVE_INFINITY;
  #resolve: (body: Buffer) => void = () => {};

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#host = `${hostname}:${port}`;
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on("data", (bytes) => this.#onData(bytes));
    this.#socket.on("error", (error) => this.#socket.destroy(error));
  }

  /** `headers`: lines with their ends. One at a time. */
  post(body: Uint8Array, headers = ""): Promise<Buffer> {
    const head = `POST / HTTP/1.1\r\nhost: ${this.#host}\r\n${headers}content-length: ${body.length}\r\n\r\n`;
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#socket.cork();
      this.#socket.write(head, "latin1");
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(bytes: Buffer): void {
    let body = bytes;
    if (this.#missing === Number.POSITIVE_INFINITY) {
      const end = bytes.indexOf(HEAD_END);
      const length = /content-length: (\d+)/i.exec(bytes.toString("latin1", 0, end))?.[1];
      if (end < 0 || length === undefined) throw new Error("an answer without a length");
      this.#missing = Number(length);
      body = bytes.subarray(end + HEAD_END.length);
    }
    this.#missing -= body.length;
    this.#chunks.push(body);
    if (this.#missing > 0) return;
    const whole = this.#chunks.length === 1 ? body : Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#missing = Number.POSITIVE_INFINITY;
    this.#resolve(whole);
  }
}

/** Does the work over so many sockets until `next` gives nothing more. */
export async function postAll(
  url: string,
  sockets: number,
  next: () => Uint8Array | undefined,
): Promise<void> {
  const posts = Array.from({ length: sockets }, () => new RawPost(url));
  const loops = posts.map(async (raw) => {
    for (let body = next(); body !== undefined; body = next()) await raw.post(body);
    raw.close();
  });
  await Promise.all(loops);
}
