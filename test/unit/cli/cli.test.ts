import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { FUNCTION, folderWith, withMapping } from "../manifests/manifest-samples.ts";
import { runWords } from "./captured-host.ts";

const COMMANDS = ["run", "mappings", "validate", "test-pattern", "schema", "load", "version", "help"];

test("lists its commands, and every command has a help text", async () => {
  const overview = await runWords(["help"]);
  assert.equal(overview.status, 0);
  for (const command of COMMANDS) {
    assert.match(overview.stdout, new RegExp(`^ {2}${command} `, "m"));
    if (command === "mappings") continue;
    for (const flag of ["--help", "-h"]) {
      const help = await runWords([command, flag]);
      assert.equal(help.status, 0);
      assert(help.stdout.startsWith(`Usage: millrace ${command}`), help.stdout);
      assert.match(help.stdout, /--help +Shows this text\.$/m);
    }
  }
});

test("a group of commands lists them, and each has a help text of its own", async () => {
  const group = await runWords(["mappings", "--help"]);
  assert.equal(group.status, 0);
  for (const name of ["list", "get", "create", "update", "delete", "enable", "disable", "explain"]) {
    assert.match(group.stdout, new RegExp(`^ {2}${name} `, "m"));
    const help = await runWords(["mappings", name, "--help"]);
    assert.equal(help.status, 0);
    assert(help.stdout.startsWith(`Usage: millrace mappings ${name}`), help.stdout);
  }
  const none = await runWords(["mappings"]);
  assert.deepEqual([none.status, none.stdout, none.stderr], [2, "", group.stdout]);
});

test("shows the overview when it is given nothing, as an error", async () => {
  const { status, stdout, stderr } = await runWords([]);
  assert.deepEqual([status, stdout], [2, ""]);
  assert.match(stderr, /^Usage: millrace COMMAND/m);
});

test("prints its version", async () => {
  for (const word of ["version", "--version", "-v"]) {
    assert.deepEqual(await runWords([word]), { status: 0, stdout: "1.2.3\n", stderr: "" });
  }
});

test("prints the schema of manifests as JSON", async () => {
  const { status, stdout } = await runWords(["schema"]);
  assert.equal(status, 0);
  assert.equal(JSON.parse(stdout).title, "Millrace manifest");
});

const STORES = "Give --store sqlite:PATH, postgres://USER@HOST/DATABASE, dynamodb:TABLE or memory:.";

const SLIPS: readonly (readonly [words: string, message: string])[] = [
  [
    "rum",
    'There is no command "rum". Did you mean run? Commands are dev, run, mappings, explain, logs, streams, queues, events, failures, rollouts, validate, import, export, diff, prune, adopt, test-pattern, schema, load, attach, scaler, version, help.',
  ],
  ["validate", "--filename is missing. Give --filename FILE_OR_FOLDER. See millrace validate --help."],
  ["run -f", "-f has no value. Give -f FILE_OR_FOLDER. See millrace run --help."],
  ["run -f --api off", "-f has no value. Give -f FILE_OR_FOLDER. See millrace run --help."],
  ["run --file x", "There is no flag --file. Did you mean --filename? See millrace run --help."],
  ["run --aip x", "There is no flag --aip. Did you mean --api? See millrace run --help."],
  ["run --__proto__ x", "There is no flag --__proto__. See millrace run --help."],
  ["run -x", "There is no flag -x. See millrace run --help."],
  [
    "run -f a b",
    'The word "b" is not expected here. To give another file write -f before it. See millrace run --help.',
  ],
  ["run -f a --api off --api off", "--api is given twice. Give it once. See millrace run --help."],
  ["run -f a --log-level loud", '--log-level is "loud". Give one of debug, info, warn, error.'],
  ["run -f a --drain-seconds -1", '--drain-seconds is "-1". Give a whole number from 0 to 86400.'],
  ["run -f a --drain-seconds=-1", '--drain-seconds is "-1". Give a whole number from 0 to 86400.'],
  ["run -f a --drain-seconds 1e3", '--drain-seconds is "1e3". Give a whole number from 0 to 86400.'],
  ["run -f a --store redis:x", `There is no store of the form "redis:x". ${STORES}`],
  ["run -f a --store sqlite://x", `There is no store of the form "sqlite://x". ${STORES}`],
  ["run -f a --store mysql://u:secret@h/d", `There is no store of the form "mysql://…". ${STORES}`],
  ["run -f a --store postgres:u:secret@h", `There is no store of the form "postgres:…". ${STORES}`],
  [
    "run -f a --store dynamodb:a/b",
    'The table "a/b" of --store dynamodb:TABLE is not a table\'s name. Give 3 to 255 letters, digits and _ . - without ' +
      "region or account, which come from the AWS settings.",
  ],
  ["test-pattern --pattern a", "--event is missing. Give --event FILE. See millrace test-pattern --help."],
  [
    "mappings lsit",
    'There is no command "mappings lsit". Did you mean list? Commands are list, get, create, update, delete, enable, disable, explain.',
  ],
  ["mappings get", "UUID is missing. Give mappings get UUID [FLAGS]. See millrace mappings get --help."],
  ["mappings get a b", 'The word "b" is not expected here. Remove it. See millrace mappings get --help.'],
  [
    "mappings list --api ftp://x",
    "--api is not the address of an API. Give a URL such as http://127.0.0.1:8080.",
  ],
  ["mappings create --batch-size ten", '--batch-size is "ten". Give a whole number.'],
  ["mappings create --tag team", '--tag is "team". Give KEY=VALUE.'],
  [
    "mappings create --starting-position-timestamp soon",
    '--starting-position-timestamp is "soon". Give a date such as 2026-01-31T12:00:00Z.',
  ],
  ["mappings create --enabled --no-enabled", "--enabled and --no-enabled are both given. Give one."],
  [
    "mappings update u --cli-input-json {",
    'The text of --cli-input-json is not JSON. Give an object such as {"BatchSize":10}.',
  ],
  ["version x", 'The word "x" is not expected here. Remove it. See millrace version --help.'],
];

for (const [words, message] of SLIPS) {
  test(`says what is wrong with: ${words}`, async () => {
    const { status, stdout, stderr } = await runWords(words.split(" "));
    assert.deepEqual({ status, stdout, stderr }, { status: 2, stdout: "", stderr: `millrace: ${message}\n` });
  });
}

test("counts what else manifests declare, where they declare it", async (t) => {
  const others = `
---
{ apiVersion: millrace.dev/v1, kind: Route, metadata: { name: web }, spec: { functionName: orders } }
---
apiVersion: millrace.dev/v1
kind: Schedule
metadata: { name: tick }
spec: { scheduleExpression: "rate(1 minute)", target: { arn: orders } }
`;
  const folder = folderWith(t, { "f.yaml": `${FUNCTION.trimEnd()}${others}` });
  const { status, stdout } = await runWords(["validate", "-f", join(folder, "f.yaml")]);
  assert.deepEqual([status, stdout], [0, "Valid: 1 function, 0 mappings, 1 route, 1 schedule.\n"]);
});

test("validates manifests of several files and folders", async (t) => {
  const folder = folderWith(t, { "a/f.yaml": FUNCTION, "m.yaml": withMapping().slice(FUNCTION.length) });
  const good = await runWords(["validate", "-f", join(folder, "a"), `--filename=${join(folder, "m.yaml")}`]);
  assert.deepEqual(good, { status: 0, stdout: "Valid: 1 function, 1 mapping.\n", stderr: "" });
  const bad = await runWords(["validate", "-f", join(folder, "m.yaml")]);
  assert.deepEqual([bad.status, bad.stdout], [2, ""]);
  assert.match(bad.stderr, /m\.yaml:6:17: .* Function does not exist\. .*\n1 problem\.\n$/s);
});

const TEST_PATTERN: readonly (readonly [pattern: string, event: string, result: object])[] = [
  ['{"a":[1]}', '{"a":1}', { status: 0, stdout: "true\n", stderr: "" }],
  ['{"a":[1]}', '{"a":2}', { status: 0, stdout: "false\n", stderr: "" }],
  [
    '{"a":[]}',
    "{}",
    {
      status: 2,
      stdout: "",
      stderr:
        "millrace: Event pattern is not valid at a: Empty arrays are not allowed. " +
        "Correct the pattern; `millrace test-pattern` tries one against an event.\n",
    },
  ],
];

test("tests a pattern against an event: true or false, or why the pattern is not valid", async (t) => {
  for (const [pattern, event, expected] of TEST_PATTERN) {
    const folder = folderWith(t, { pattern, event });
    const words = ["test-pattern", "--pattern", join(folder, "pattern"), "--event", join(folder, "event")];
    assert.deepEqual(await runWords(words), expected);
  }
});

test("a file of test-pattern that cannot be read is bad input", async (t) => {
  const folder = folderWith(t, { pattern: "{}", event: "not JSON" });
  const words = ["test-pattern", "--pattern", join(folder, "none"), "--event", join(folder, "event")];
  const missing = await runWords(words);
  assert.equal(missing.status, 2);
  assert.match(
    missing.stderr,
    /^millrace: The file of --pattern cannot be read: ENOENT.* Check the path\.$/m,
  );
  const rubbish = await runWords([...words.slice(0, 2), join(folder, "pattern"), ...words.slice(3)]);
  assert.equal(rubbish.status, 2);
});

test("an error that no one foresaw shows its stack and ends with status 1", async (t) => {
  const folder = folderWith(t, { "f.yaml": FUNCTION });
  const { status, stderr } = await runWords(["run", "-f", folder]);
  assert.equal(status, 1);
  assert.match(stderr, /^millrace: Error: This test does not expect .*\n\s+at /);
});
