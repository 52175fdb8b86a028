import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** One record as a version of the function saw it. */
interface Seen {
  readonly key: string;
  readonly seq: number;
}

interface Call {
  readonly version: number;
  readonly atMs: number;
  readonly isFine: boolean;
  readonly records: readonly Seen[];
}

export interface Judgement {
  readonly lost: number;
  readonly disordered: number;
  /** Keys that went to the new version, back to the old one, and on to the new one again. */
  readonly flipped: number;
  readonly keysOfNew: number;
  readonly callsOfNew: number;
  readonly executedTwice: number;
}

const BODY_BYTES_MAX = 8_000_000;

/** Both versions of a function behind HTTP, and all that they were called with, in order. */
export class RolloutWitness {
  readonly #calls: Call[] = [];
  /** Version 2 fails batches with a record that this says of. */
  fails: (seq: number) => boolean = () => false;
  readonly #server = createServer((request, response) => {
    const version = Number(request.url?.slice(1));
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) request.destroy();
      else chunks.push(chunk);
    });
    request.on("end", () => {
      const isFine = this.#saw(version, Buffer.concat(chunks).toString());
      response.statusCode = 200;
      if (!isFine) response.setHeader("X-Amz-Function-Error", "Unhandled");
      response.end(isFine ? "{}" : '{"errorType":"Broken","errorMessage":"version 2 fails"}');
    });
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #saw(version: number, body: string): boolean {
    const event = JSON.parse(body) as { Records: { kinesis: { partitionKey: string; data: string } }[] };
    const records = event.Records.map(({ kinesis: { partitionKey, data } }) => {
      const { seq } = JSON.parse(Buffer.from(data, "base64").toString()) as { seq: number };
      return { key: partitionKey, seq };
    });
    const isFine = version !== 2 || !records.some(({ seq }) => this.fails(seq));
    this.#calls.push({ version, atMs: Date.now(), isFine, records });
    return isFine;
  }

  get processed(): number {
    const done = new Set<string>();
    for (const { isFine, records } of this.#calls)
      if (isFine) for (const { key, seq } of records) done.add(`${key}/${seq}`);
    return done.size;
  }

  /** When the new version was called for the `count`th time, epoch milliseconds. */
  callOfNew(count: number): number | undefined {
    return this.#calls.filter(({ version }) => version === 2)[count - 1]?.atMs;
  }

  judge(sent: ReadonlyMap<string, number>): Judgement {
    const next = new Map<string, number>();
    const versions = new Map<string, number[]>();
    let [disordered, executedTwice] = [0, 0];
    for (const { version, isFine, records } of this.#calls) {
      const ahead = new Map<string, number>();
      for (const { key, seq } of records) {
        const of = versions.get(key) ?? [];
        if (of.at(-1) !== version) versions.set(key, [...of, version]);
        const due = ahead.get(key) ?? next.get(key) ?? 0;
        if (seq > due) disordered++;
        if (seq < due) executedTwice++;
        if (seq === due) ahead.set(key, due + 1);
      }
      if (isFine) for (const [key, due] of ahead) next.set(key, due);
    }
    return {
      lost: [...sent].reduce((lost, [key, count]) => lost + count - (next.get(key) ?? 0), 0),
      disordered,
      executedTwice,
      flipped: [...versions.values()].filter((of) => of.filter((version) => version === 2).length > 1).length,
      keysOfNew: [...versions.values()].filter((of) => of.includes(2)).length,
      callsOfNew: this.#calls.filter(({ version }) => version === 2).length,
    };
  }
}
