import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { ROOT, sourceFiles } from "./imports.ts";

/** A text for people: whoever looks into it for what to do breaks when somebody writes it better. */
const TEXT = String.raw`\b(?:\w*(?:[mM]essage|[rR]eason|[pP]roblem|[rR]emedy|[fF]ault)|(?:describeError|messageOf)\([^()]*\))`;
const LOOKED_INTO = new RegExp(
  String.raw`${TEXT}\??\.(?:includes|startsWith|split|match|search)\(|\.(?:test|exec)\(\s*(?:[\w?]+\.)*${TEXT}\s*\)`,
);

/** Who may, each with the reason. The list only shrinks. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "connectors/kafka/kafkajs-errors.ts": "kafkajs tells a login that was cut off by its text alone",
  "connectors/sqs/source.ts": "SQS tells by text alone that a receipt has ended",
  "src/cli/api-client.ts": "the header of a fault is NAME:URL, as AWS writes it",
  "src/control/mapping-view.ts": "shows the first line of a problem, and decides nothing by it",
  "src/control/source-probe.ts": "shows the first sentence of a fault, and decides nothing by it",
  "src/destinations/record-refusal.ts": "SNS and SQS tell by text alone that a record is too long",
  "src/stores/postgres-errors.ts": "pg and Node tell by text alone why no connection was made",
};

const sources = ["src", "connectors"].flatMap((part) =>
  sourceFiles(join(ROOT, part)).map((path) => ({
    file: relative(ROOT, path),
    text: readFileSync(path, "utf8"),
  })),
);

function looksInto(text: string): readonly string[] {
  return text.split("\n").filter((line) => !/^\s*(?:\*|\/\/|\/\*\*)/.test(line) && LOOKED_INTO.test(line));
}

describe("texts for people", () => {
  test("decide nothing: no file looks into one, but those that are named", () => {
    assert.deepEqual(
      sources
        .filter(({ file }) => EXCEPTIONS[file] === undefined)
        .flatMap(({ file, text }) => looksInto(text).map((line) => `${file}: ${line.trim()}`)),
      [],
    );
  });

  test("no file is named that looks into none", () => {
    const looking = new Set(sources.filter(({ text }) => looksInto(text).length > 0).map(({ file }) => file));
    assert.deepEqual(
      Object.keys(EXCEPTIONS).filter((file) => !looking.has(file)),
      [],
    );
  });

  test("whoever looks into one is found", () => {
    for (const line of [
      'if (error.message.includes("timed out")) {',
      'return message?.startsWith("Unsupported ") ? 2 : 3;',
      "/does not support SSL/.test(error.message)",
      'const [name] = describeError(error).split(":");',
      "PATTERN.exec(fault.reason)",
    ])
      assert.equal(looksInto(line).length, 1, line);
    for (const line of [
      'if (fault.reason === "notFound") {',
      "messages.includes(message)",
      '// message.includes("x") is not asked',
    ])
      assert.equal(looksInto(line).length, 0, line);
  });
});
