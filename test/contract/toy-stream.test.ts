import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openToyStream, STREAM_TOY } from "../toys/stream-toy.ts";
import { describeStreamSourceContract } from "./stream-source.ts";
import type { StreamFixture } from "./stream-source-harness.ts";

describeStreamSourceContract("toy stream", {
  can: {
    startAtTimestamp: false,
    split: false,
    merge: false,
    trim: false,
    expireIterators: false,
    onlyOneShard: true,
    noWindows: true,
  },
  async createStream(): Promise<StreamFixture> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-toy-"));
    const path = join(folder, "records.jsonl");
    writeFileSync(path, "");
    let clockMs = Date.UTC(2026, 0, 1);
    const never = async () => {
      throw new Error("the toy cannot do this");
    };
    return {
      openSource: async () => openToyStream(path, STREAM_TOY.arn("contract")),
      async append(_shardId, records) {
        const lines = records.map(({ key, data }) => `${JSON.stringify({ key, data, ms: clockMs })}\n`);
        appendFileSync(path, lines.join(""));
      },
      split: never,
      merge: never,
      trimBefore: never,
      expireIterators: never,
      async pause(ms) {
        clockMs += ms;
      },
      dataOf(event) {
        const { Records } = event as { Records: readonly { body: string }[] };
        return Records.map(({ body }) => body);
      },
      async [Symbol.asyncDispose]() {
        rmSync(folder, { recursive: true });
      },
    };
  },
  openMissingStream: async () => openToyStream("/nowhere/records.jsonl", STREAM_TOY.arn("missing")),
});
