import type { ResponseOutlet } from "../streaming-handler.ts";
import type { RuntimeConnection, StreamFailure } from "./runtime-connection.ts";

/** The response of one event on its way to the host, while its handler writes it. */
export class ResponseUpload implements ResponseOutlet {
  readonly #connection: RuntimeConnection;
  readonly #id: string;
  readonly #onLost: () => void;
  #state: "unopened" | "open" | "ended" = "unopened";

  constructor(connection: RuntimeConnection, id: string, onLost: () => void) {
    this.#connection = connection;
    this.#id = id;
    this.#onLost = onLost;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  open(contentType: string): void {
    if (this.#state !== "unopened") return;
    this.#state = "open";
    this.#connection.beginStream(this.#id, contentType, this.#onLost);
  }

  write(chunk: Uint8Array, done: () => void): void {
    // A handler that has failed may still write.
    if (this.#state === "open" && chunk.length > 0) this.#connection.writeStream(chunk, done);
    else done();
  }

  end(failure: StreamFailure | undefined, onDone: () => void, onLost: () => void): void {
    this.#state = "ended";
    this.#connection.endStream(failure, onDone, onLost);
  }
}
