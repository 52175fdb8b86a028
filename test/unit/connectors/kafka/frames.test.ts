import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { prepareAccess } from "../../../../connectors/kafka/access.ts";
import { BrokerLink } from "../../../../connectors/kafka/broker-link.ts";
import { isFault } from "../../../../connectors/kafka/fault.ts";
import { Frames } from "../../../../src/codecs/frames.ts";
import { NO_ABORT } from "../../../contract/stream-source-harness.ts";
import { API, cannedLog, startCannedBroker } from "./canned-broker.ts";
import { int32 } from "./canned-bytes.ts";

const BYTES_MAX = 1_000;

function framesOf(pieces: readonly Buffer[]): { readonly frames: string[]; readonly refused: number[] } {
  const frames: string[] = [];
  const refused: number[] = [];
  const reader = new Frames({
    bytesMax: () => BYTES_MAX,
    onFrame: (frame) => frames.push(frame.subarray(4).toString()),
    onTooLarge: (bytes) => refused.push(bytes),
  });
  for (const piece of pieces) reader.push(piece);
  return { frames, refused };
}

function framed(text: string): Buffer {
  return Buffer.concat([int32(text.length), Buffer.from(text)]);
}

test("frames are put together however a connection cuts them, a byte at a time too", () => {
  const texts = fc.array(fc.string({ unit: "grapheme-ascii", maxLength: 50 }), { maxLength: 6 });
  fc.assert(
    fc.property(texts, fc.array(fc.nat({ max: 20 })), (wanted, cuts) => {
      let rest = Buffer.concat(wanted.map(framed));
      const pieces: Buffer[] = [];
      for (const cut of cuts) {
        pieces.push(rest.subarray(0, cut));
        rest = rest.subarray(cut);
      }
      pieces.push(rest);
      assert.deepEqual(framesOf(pieces), { frames: wanted, refused: [] });
      const bytes = Array.from(Buffer.concat(pieces), (byte) => Buffer.from([byte]));
      assert.deepEqual(framesOf(bytes), { frames: wanted, refused: [] });
    }),
  );
});

for (const [claim, name] of [
  [BYTES_MAX + 1, "more than it may have"],
  [2 ** 31 - 1, "2 GB"],
  [-1, "less than nothing"],
] as const) {
  test(`a frame that claims ${name} is refused by its first bytes, and nothing behind it is read`, () => {
    assert.deepEqual(framesOf([framed("a"), int32(claim), framed("b")]), { frames: ["a"], refused: [claim] });
  });
}

for (const [when, apiKey] of [
  ["before login", API.apiVersions],
  ["behind it", API.metadata],
] as const) {
  test(`a broker that announces 2 GB ${when} is hung up on and told, whatever it goes on to send`, async () => {
    let closed = () => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    await using broker = await startCannedBroker({
      topic: "t",
      partitions: [cannedLog([])],
      hijack: (key, socket, correlationId) => {
        if (key !== apiKey) return false;
        socket.on("close", closed);
        socket.write(Buffer.concat([int32(0x7fff_fff0), int32(correlationId), Buffer.alloc(100_000)]));
        return true;
      },
    });
    const link = new BrokerLink({
      host: "127.0.0.1",
      port: broker.port,
      clientId: "test",
      access: prepareAccess({}),
    });
    await assert.rejects(
      link.request("Metadata", { topics: ["t"], allowAutoTopicCreation: false }, { signal: NO_ABORT }),
      (error: unknown) =>
        isFault(error, "tooLarge") &&
        /announced an answer of 2147483632 bytes; at most \d+/.test(error.message),
    );
    await isClosed;
    assert.ok(link.hasFailed);
  });
}
