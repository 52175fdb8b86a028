import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { ROOT, sourceFiles } from "./imports.ts";

/** Words of one event source. What belongs to a source stands in its connector, `src/` knows none by name. */
const WORDS =
  /kinesis|dynamodb|\bddb|sqs|kafka|\bmsk\b|topic|partition|shard_?iterator|visibility|bootstrap_?servers/gi;

/** A section of the contract that a comment refers to: `(kafka §4)`. */
const REFERENCE = /\([^()]*§[^()]*\)/g;

/** Folders that speak to such a service in a role of their own. */
const OWN_ROLE = /^src\/(?:aws|destinations|ingest|stores)\//;

const UNTIL_MOVED = "connectors bring their parameters";
const PUBLISHED = "a name that is published: metrics, flags, members of AWS's documents";
const EXAMPLE = "a comment or a text for people names a source as an example";
const EVENT_FORM = "an event's form that connectors of several services share";
const QUEUE_WORD = "the queue port's own word for how long a message is hidden";
const COMPOSITION = "the composition root and the flags of the store name the stores that there are";

/** The list only shrinks. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "src/api/mapping-members.ts": UNTIL_MOVED,
  "src/cli/mapping-parameters.ts": UNTIL_MOVED,
  "src/cli/mapping-text.ts": UNTIL_MOVED,
  "src/cli/processes/run-processes.ts": COMPOSITION,
  "src/cli/run-flags.ts": COMPOSITION,
  "src/cli/store-url.ts": COMPOSITION,
  "src/control/deployments.ts": UNTIL_MOVED,
  "src/control/source-probe.ts": UNTIL_MOVED,
  "src/engine/queue/held-message.ts": QUEUE_WORD,
  "src/engine/queue/hold-length.ts": QUEUE_WORD,
  "src/engine/stream/discarded-batch.ts": UNTIL_MOVED,
  "src/load/event-records.ts": "the load test's function reads events, as handlers do",
  "src/load/load-run.ts": UNTIL_MOVED,
  "src/load/scenario-schema.ts": EXAMPLE,
  "src/main.ts": COMPOSITION,
  "src/manifests/destination-address.ts": UNTIL_MOVED,
  "src/manifests/mapping-schema.ts": "names the destinations that there are",
  "src/model/failure-record.ts": UNTIL_MOVED,
  "src/model/kinesis-event.ts": EVENT_FORM,
  "src/model/kinesis-event-records.ts": EVENT_FORM,
  "src/model/reason.ts": "a reason's code, which is published",
  "src/model/sqs-event-records.ts": EVENT_FORM,
  "src/model/sqs-event.ts": EVENT_FORM,
  "src/ports/queue-source.ts": QUEUE_WORD,
  "src/ports/record-sender.ts": QUEUE_WORD,
  "src/ports/stream-source.ts": EXAMPLE,
  "src/ports/telemetry.ts": PUBLISHED,
  "src/telemetry/otlp/span-json.ts": PUBLISHED,
  "src/telemetry/telemetry.ts": PUBLISHED,
};

/** Files of `src/` with their words. */
const found = new Map(
  sourceFiles(join(ROOT, "src"))
    .map((file) => relative(ROOT, file))
    .filter((file) => !OWN_ROLE.test(file))
    .map((file) => [file, wordsOf(readFileSync(join(ROOT, file), "utf8"))] as const)
    .filter(([, words]) => words.length > 0),
);

describe("src/ knows no source by name", () => {
  test("no file holds a word of a source, but those that are named with a reason", () => {
    const strangers = [...found].filter(([file]) => !(file in EXCEPTIONS));
    assert.deepEqual(strangers, []);
  });

  test("no file is named as an exception that needs none", () => {
    assert.deepEqual(
      Object.keys(EXCEPTIONS).filter((file) => !found.has(file)),
      [],
    );
  });

  test("a word is found in any case and inside of names, and a reference to the contract is none", () => {
    assert.deepEqual(wordsOf("new KafkaCluster(topics) // (kafka §4)"), ["kafka", "topic"]);
    assert.deepEqual(wordsOf("nextShardIterator, visibilityMs"), ["sharditerator", "visibility"]);
    assert.deepEqual(wordsOf("a plain stream of records (queues §1.2, kafka §1)"), []);
  });
});

function wordsOf(text: string): readonly string[] {
  const words = text.replaceAll(REFERENCE, "").match(WORDS) ?? [];
  return [...new Set(words.map((word) => word.toLowerCase()))];
}
