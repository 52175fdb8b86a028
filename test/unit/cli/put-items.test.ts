import assert from "node:assert/strict";
import { test } from "node:test";
import type { CliHost } from "../../../src/cli/command.ts";
import { type PutJob, putItems } from "../../../src/cli/sources/put-items.ts";
import type { SourceDesk } from "../../../src/cli/sources/source-desk.ts";
import { inputOf } from "./captured-host.ts";

const JOB: PutJob = {
  kind: "stream",
  name: "orders",
  words: [],
  itemOf: (text) => ({ json: text }),
  isJson: false,
};

/** A desk that answers all items of one call alike: the first call with the first of `codes`, and so on. */
function deskOf(...codes: readonly (string | undefined)[]) {
  const puts: (readonly string[])[] = [];
  const desk: SourceDesk = {
    place: "a desk",
    list: async () => [],
    create: async () => ({}),
    peek: async () => [],
    close: async () => undefined,
    async put(_name, items) {
      puts.push(items);
      const errorCode = codes[puts.length - 1];
      return items.map(() =>
        errorCode === undefined ? { shardId: "s" } : { errorCode, errorMessage: "Why." },
      );
    },
  };
  return { desk, puts };
}

function hostOf(isTTY: boolean, ...input: readonly string[]) {
  const written = { stdout: "", stderr: "" };
  const stdin = Object.assign(inputOf(...input), { isTTY });
  const stream = (name: "stdout" | "stderr") => ({
    isTTY,
    write(text: string) {
      written[name] += text;
    },
  });
  return {
    written,
    host: { stdin, stdout: stream("stdout"), stderr: stream("stderr") } as unknown as CliHost,
  };
}

test("tries nothing behind what was not stored: it would overtake it", async () => {
  const { desk, puts } = deskOf(undefined, "ServiceUnavailable", undefined);
  const { host, written } = hostOf(false, "1\n", "2\n3\n", "4\n");
  assert.equal(await putItems(desk, JOB, host), 1);
  assert.deepEqual(puts, [["1"], ["2", "3"]]);
  assert.match(written.stderr, /^line 2: Why\.\nline 3: Why\.\n$/);
  assert.match(
    written.stdout,
    /Put 1 record into the stream orders, 2 not stored: nothing behind them was tried/,
  );
});

test("goes on behind what was refused, tells the first ones, and counts the rest", async () => {
  const { desk, puts } = deskOf("InvalidParameterValue", undefined);
  const { host, written } = hostOf(false, "x\n".repeat(12), "y\n");
  assert.equal(await putItems(desk, JOB, host), 2);
  assert.equal(puts.length, 2);
  assert.equal(written.stderr.match(/^line \d+: Why\.$/gm)?.length, 10);
  assert.match(written.stderr, /… and more/);
  assert.match(written.stdout, /Put 1 record into the stream orders, 12 refused/);
});

test("draws how it goes on on a terminal, takes it away at the end, and draws nothing elsewhere", async () => {
  const terminal = hostOf(true, "1\n");
  assert.equal(await putItems(deskOf(undefined).desk, JOB, terminal.host), 0);
  const [hint, drawn] = terminal.written.stderr.split("\n");
  assert.match(hint ?? "", /^Reads records from this terminal/);
  assert.match(drawn ?? "", /^Put 1 record into the stream orders .*\/s/);
  assert.ok(terminal.written.stderr.endsWith("\r\u001b[2K"), "the line is taken away");
  const plain = hostOf(false, "1\n");
  assert.equal(await putItems(deskOf(undefined).desk, JOB, plain.host), 0);
  assert.equal(plain.written.stderr, "");
  assert.equal(plain.written.stdout, "s\nPut 1 record into the stream orders (a desk).\n");
});

test("puts lines of any length in groups, and refuses one that no source takes", async () => {
  const { desk, puts } = deskOf();
  const { host } = hostOf(false, `${"a\n".repeat(1_500)}b`);
  assert.equal(await putItems(desk, JOB, host), 0);
  assert.deepEqual(
    puts.map(({ length }) => length),
    [1_000, 500, 1],
  );
  const endless = hostOf(false, "x".repeat(16 * 1024 * 1024 + 1));
  await assert.rejects(putItems(desk, JOB, endless.host), /Line 1 of standard input has more than/);
});

test("says that nothing was given, and nothing of a source that nobody has asked", async () => {
  const { desk, puts } = deskOf();
  const { host, written } = hostOf(false, "");
  assert.equal(await putItems(desk, JOB, host), 0);
  assert.deepEqual([puts, written.stdout], [[], ""]);
  assert.match(written.stderr, /^No record was given: .* standard input\.$/m);
});
