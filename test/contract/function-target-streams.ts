import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { ResponseHead, ResponseSink } from "../../src/ports/response-sink.ts";
import {
  AMPLE_MS,
  behaviour,
  type FunctionTargetHarness,
  GRACE_MS,
  succeeded,
} from "./function-target-run.ts";

/** Ample for the first bytes of a function that runs. */
const SHORT_MS = 3_000;

/** Keeps what it gets, and what it may not get. */
class KeptResponse implements ResponseSink {
  readonly heads: ResponseHead[] = [];
  readonly faults: string[] = [];
  readonly #onText: ((text: string) => void) | undefined;
  readonly #room: (() => Promise<void>) | undefined;
  readonly #chunks: Uint8Array[] = [];
  #hasEnded = false;
  #isFull = false;

  /** `onText`: told all that is there whenever there is more. `room`: until it resolves nothing more may come. */
  constructor(onText?: (text: string) => void, room?: () => Promise<void>) {
    this.#onText = onText;
    this.#room = room;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  open(head: ResponseHead): void {
    if (this.heads.length > 0) this.faults.push("opened twice");
    this.heads.push(head);
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#isFull) this.faults.push("bytes where there was no room");
    if (this.heads.length === 0) this.faults.push("bytes before it was opened");
    if (this.#hasEnded) this.faults.push("bytes behind the outcome");
    this.#chunks.push(chunk);
    this.#onText?.(this.text);
    this.#isFull = this.#room !== undefined;
    return this.#room?.().then(() => {
      this.#isFull = false;
    });
  }

  /** Nothing may come any more. */
  end(): void {
    this.#hasEnded = true;
  }
}

/** The laws of `src/ports/response-sink.ts`. */
export function describeStreams(harness: FunctionTargetHarness): void {
  behaviour(harness, ["echo"], "never opens the sink of a response that is not streamed", async (run) => {
    const sink = new KeptResponse();
    const outcome = await run.stream({ task: "echo", value: 1 }, sink);
    assert.deepEqual(sink.faults, []);
    if (harness.takesAllForStreams === true && sink.heads.length > 0) {
      assert.ok(outcome.kind === "succeeded" && outcome.payload.length === 0, JSON.stringify(outcome));
      assert.deepEqual(JSON.parse(sink.text), { task: "echo", value: 1 });
      return;
    }
    assert.deepEqual(succeeded(outcome), { task: "echo", value: 1 });
    assert.deepEqual([sink.heads, sink.text], [[], ""]);
  });

  behaviour(harness, ["stream"], "hands each piece on before the function writes the next", async (run) => {
    await withPlace(async (place) => {
      const [second, third] = [join(place, "second"), join(place, "third")];
      const sink = new KeptResponse((text) => {
        if (text === "one, ") writeFileSync(second, "");
        if (text === "one, two, ") writeFileSync(third, "");
      });
      const pieces = [{ text: "one, " }, { text: "two, ", after: second }, { text: "three", after: third }];
      const outcome = await run.stream({ task: "stream", pieces, ending: "end" }, sink);
      assert.ok(outcome.kind === "succeeded", JSON.stringify(outcome));
      assert.equal(outcome.payload.length, 0);
      assert.deepEqual([sink.text, sink.heads.length, sink.faults], ["one, two, three", 1, []]);
    });
  });

  behaviour(harness, ["stream"], "writes nothing more while its sink has no room", async (run) => {
    const sink = new KeptResponse(undefined, () => pause(50));
    const pieces = [{ text: "one, " }, { text: "two, " }, { text: "three, " }, { text: "four" }];
    const outcome = await run.stream({ task: "stream", pieces, ending: "end" }, sink);
    assert.equal(outcome.kind, "succeeded");
    assert.deepEqual([sink.text, sink.faults], ["one, two, three, four", []]);
  });

  behaviour(harness, ["stream"], "opens the sink of a stream in which nothing stands", async (run) => {
    const sink = new KeptResponse();
    const outcome = await run.stream({ task: "stream", pieces: [], ending: "end" }, sink);
    assert.equal(outcome.kind, "succeeded");
    assert.deepEqual([sink.heads.length, sink.text, sink.faults], [1, "", []]);
  });

  behaviour(harness, ["stream"], "collects a stream that nobody takes while it is written", async (run) => {
    const pieces = [{ text: "one, " }, { text: "two" }];
    const outcome = await run.invoke({ task: "stream", pieces, ending: "end" });
    assert.ok(outcome.kind === "succeeded", outcome.kind);
    assert.equal(Buffer.from(outcome.payload).toString(), "one, two");
  });

  behaviour(
    harness,
    ["stream"],
    "fails a stream that fails before its first byte as any call",
    async (run) => {
      const sink = new KeptResponse();
      const outcome = await run.stream({ task: "stream", pieces: [], ending: "throw" }, sink);
      assert.ok(outcome.kind === "functionError", outcome.kind);
      assert.deepEqual([outcome.errorType, outcome.message], ["StreamError", "no more"]);
      assert.deepEqual([sink.heads, sink.faults], [[], []]);
    },
  );

  describeBrokenStreams(harness);
}

function describeBrokenStreams(harness: FunctionTargetHarness): void {
  behaviour(harness, ["stream"], "tells an error behind the first bytes, which stay", async (run) => {
    const sink = new KeptResponse();
    const outcome = await run.stream({ task: "stream", pieces: [{ text: "half" }], ending: "throw" }, sink);
    assert.ok(outcome.kind === "functionError", outcome.kind);
    assert.deepEqual([outcome.errorType, outcome.message], ["StreamError", "no more"]);
    assert.deepEqual([sink.text, sink.faults], ["half", []]);
  });

  behaviour(harness, ["stream"], "takes a process that ends within its stream for an error", async (run) => {
    const sink = new KeptResponse();
    const outcome = await run.stream({ task: "stream", pieces: [{ text: "half" }], ending: "exit" }, sink);
    assert.equal(outcome.kind, "functionError");
    assert.deepEqual([sink.text, sink.faults], ["half", []]);
    const next = new KeptResponse();
    await run.stream({ task: "stream", pieces: [{ text: "whole" }], ending: "end" }, next);
    assert.equal(next.text, "whole");
  });

  behaviour(
    harness,
    ["stream"],
    "times a stream out behind its first bytes, and nothing follows",
    async (run) => {
      const sink = new KeptResponse();
      const task = { task: "stream", pieces: [{ text: "half" }], ending: "hang" } as const;
      const outcome = await run.stream(task, sink, SHORT_MS);
      sink.end();
      assert.deepEqual(outcome, { kind: "timedOut" });
      const next = new KeptResponse();
      await run.stream({ task: "stream", pieces: [{ text: "whole" }], ending: "end" }, next);
      assert.deepEqual([sink.text, sink.faults, next.text], ["half", [], "whole"]);
    },
  );

  behaviour(
    harness,
    ["stream"],
    "never tells of a stream that has begun that it did not run",
    async (run) => {
      const end = new AbortController();
      const sink = new KeptResponse(() => end.abort());
      const task = { task: "stream", pieces: [{ text: "half" }], ending: "hang" } as const;
      const outcome = await run.settle(run.start(task, AMPLE_MS, end.signal, sink), AMPLE_MS + GRACE_MS);
      sink.end();
      assert.equal(outcome.kind, "functionError");
      assert.deepEqual([sink.text, sink.faults], ["half", []]);
    },
  );
}

async function withPlace(prove: (place: string) => Promise<void>): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), "millrace-streams-"));
  try {
    await prove(place);
  } finally {
    rmSync(place, { recursive: true });
  }
}
