import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CONNECTORS, loadExtensions } from "../../../connectors/registry.ts";
import { settingsReference } from "../../../scripts/settings-reference.ts";
import { checkMappingSpec } from "../../../src/manifests/mapping-spec.ts";
import { DESTINATION_TOY, DESTINATIONS } from "../../toys/destination-toy.ts";
import { QUEUE_TOY, CONNECTORS as QUEUE_TOYS } from "../../toys/queue-toy.ts";
import { STREAM_TOY, CONNECTORS as STREAM_TOYS } from "../../toys/stream-toy.ts";
import { TARGET_TOY, TARGETS } from "../../toys/target-toy.ts";
import { ROOT } from "../architecture/imports.ts";
import { repositoryFiles } from "../architecture/references.ts";
import { runWords } from "../cli/captured-host.ts";
import { FUNCTION, folderWith } from "../manifests/manifest-samples.ts";

const connectors = [...CONNECTORS, ...STREAM_TOYS, ...QUEUE_TOYS];
const NAMES = ["stream-toy.ts", "queue-toy.ts", "destination-toy.ts", "target-toy.ts"];
const MODULES = { MILLRACE_CONNECTORS: NAMES.map((name) => join(ROOT, "test/toys", name)).join(":") };

function manifest(arn: string, fields: object, endpoint: string): string {
  const lines = Object.entries(fields).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}\n`);
  return `${FUNCTION}---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: toy }
spec:
  functionName: orders
  eventSourceArn: ${arn}
  endpoints: { ${endpoint}: [toy] }
${lines.join("")}`;
}

describe("a connector that src/ has never heard of", () => {
  test("comes through the registry's door, and a module without connectors is named", async () => {
    const loaded = await loadExtensions(MODULES);
    assert.deepEqual(
      loaded.connectors.map(({ kind }) => kind),
      connectors.map(({ kind }) => kind),
    );
    assert.equal((await loadExtensions({})).connectors, CONNECTORS);
    for (const path of ["/nowhere/toy.ts", join(ROOT, "src/model/limits.ts")])
      await assert.rejects(loadExtensions({ MILLRACE_CONNECTORS: path }), new RegExp(path));
    const twice = MODULES.MILLRACE_CONNECTORS.split(":")[0];
    await assert.rejects(loadExtensions({ MILLRACE_CONNECTORS: `${twice}:${twice}` }), /Two connectors/);
  });

  test("has its fields in the JSON Schema and the settings reference, with its permissions", async () => {
    const { stdout } = await runWords(["schema"], { connectors });
    const settings = settingsReference(connectors);
    for (const { title, description, action } of [STREAM_TOY, QUEUE_TOY]) {
      assert.ok(stdout.includes(description));
      for (const text of [title, action]) assert.ok(settings.includes(text), text);
      assert.ok(settings.replaceAll(/\s+/g, " ").includes(description));
    }
    assert.doesNotMatch((await runWords(["schema"])).stdout, STREAM_TOY.word);
  });

  test("brings functions and destinations into the JSON Schema and the settings reference too", async () => {
    const brought = { destinations: DESTINATIONS, targets: TARGETS };
    const { stdout } = await runWords(["schema"], { connectors, ...brought });
    const settings = settingsReference(connectors, brought).replaceAll(/\s+/g, " ");
    for (const text of [stdout, settings]) {
      for (const { word } of [DESTINATION_TOY, TARGET_TOY]) assert.match(text, word);
      for (const said of [DESTINATION_TOY.form, TARGET_TOY.description, TARGET_TOY.nestSays])
        assert.ok(text.includes(said), said);
    }
    const plain = `${(await runWords(["schema"])).stdout}${settingsReference(connectors)}`;
    for (const { word } of [DESTINATION_TOY, TARGET_TOY]) assert.doesNotMatch(plain, word);
  });

  test("has its rules told with their line and column", async (t) => {
    const stream = manifest(
      STREAM_TOY.arn("a"),
      STREAM_TOY.fields("red", 3, STREAM_TOY.passphrase),
      STREAM_TOY.endpoint,
    );
    const queue = manifest(QUEUE_TOY.arn("a"), {}, QUEUE_TOY.endpoint);
    const folder = folderWith(t, { "queue.yaml": queue, "stream.yaml": stream });
    const problems = async (file: string) =>
      (await runWords(["validate", "-f", join(folder, file)], { connectors })).stderr;
    const ofStream = await problems("stream.yaml");
    assert.match(ofStream, new RegExp(`:14:25: .*spec\\.${STREAM_TOY.blinkField}: ${STREAM_TOY.tooFast}\\.`));
    assert.match(
      ofStream,
      new RegExp(`:15:23: .*spec\\.${STREAM_TOY.passphraseField}: The text does not say`),
    );
    assert.ok(!ofStream.includes(STREAM_TOY.passphrase), "a secret that was written out is not shown");
    assert.match(await problems("queue.yaml"), new RegExp(`:9:1: .*spec: ${QUEUE_TOY.unstamped}\\.`));
  });

  test("does not show a secret that is too short for its field", (t) => {
    void t;
    const spec = {
      functionName: "orders",
      eventSourceArn: STREAM_TOY.arn("a"),
      endpoints: { [STREAM_TOY.endpoint]: ["toy"] },
      ...STREAM_TOY.fields("red", 9, "abcd"),
    };
    const place = { region: "eu-west-1", account: "123456789012" };
    const checked = checkMappingSpec("toy", spec, { connectors, nowMs: 0, place });
    assert.ok(checked.kind === "invalid");
    const told = JSON.stringify(checked.faults);
    assert.ok(told.includes("[redacted]") && !told.includes("abcd"), told);
  });

  test("has its fields refused on mappings of other sources, for whom they are said to be", async (t) => {
    const text = manifest(
      QUEUE_TOY.arn("a"),
      { ...QUEUE_TOY.fields("red"), ...STREAM_TOY.fields("a", 9, "env:A") },
      QUEUE_TOY.endpoint,
    );
    const folder = folderWith(t, { "m.yaml": text });
    const { stderr } = await runWords(["validate", "-f", join(folder, "m.yaml")], { connectors });
    assert.ok(stderr.includes(`Unsupported ${STREAM_TOY.blinkMember} parameter`), stderr);
    assert.ok(stderr.includes(`Remove the field: it is for ${STREAM_TOY.title}.`), stderr);
  });

  test("may give up into a destination that src/ has never heard of", async (t) => {
    const to = (destination: string) =>
      manifest(
        STREAM_TOY.arn("a"),
        {
          ...STREAM_TOY.fields("red", 9, "env:WORD"),
          destinationConfig: { onFailure: { destination } },
        },
        STREAM_TOY.endpoint,
      );
    const folder = folderWith(t, {
      "good.yaml": to(DESTINATION_TOY.uri("lost")),
      "bad.yaml": to(DESTINATION_TOY.uri("")),
    });
    const validate = (file: string, destinations: typeof DESTINATIONS) =>
      runWords(["validate", "-f", join(folder, file)], { connectors, destinations });
    assert.equal((await validate("good.yaml", DESTINATIONS)).status, 0);
    const { stderr } = await validate("bad.yaml", DESTINATIONS);
    assert.ok(stderr.includes(`${DESTINATION_TOY.nowhere}. Give ${DESTINATION_TOY.form}.`), stderr);
    const unknown = await validate("good.yaml", []);
    assert.ok(unknown.stderr.includes("There is no failure destination of this kind"), unknown.stderr);
  });

  test("may invoke a function that src/ has never heard of", async (t) => {
    const withNest = (nest: unknown) =>
      `{"apiVersion":"millrace.dev/v1","kind":"Function","metadata":{"name":"toy"},\n"spec":${JSON.stringify(TARGET_TOY.fields(nest))}}`;
    const folder = folderWith(t, { "good.yaml": withNest("nest"), "bad.yaml": withNest(7) });
    const validate = (file: string, targets: typeof TARGETS) =>
      runWords(["validate", "-f", join(folder, file)], { targets });
    assert.equal((await validate("good.yaml", TARGETS)).status, 0);
    const { stderr } = await validate("bad.yaml", TARGETS);
    assert.match(
      stderr,
      new RegExp(`:2:\\d+: .*settings\\.${TARGET_TOY.nestField}: ${TARGET_TOY.homeless}\\.`),
    );
    const unknown = await validate("good.yaml", []);
    assert.ok(unknown.stderr.includes("No module brings function targets of this kind"), unknown.stderr);
  });

  test("has claims of its own among manifests", async (t) => {
    const one = (name: string, arn: string, stamp: string) =>
      manifest(QUEUE_TOY.arn(arn), QUEUE_TOY.fields(stamp), QUEUE_TOY.endpoint).replace(
        "{ name: toy }",
        `{ name: ${name} }`,
      );
    const second = one("two", "b", "red");
    const text = `${one("one", "a", "red")}${second.slice(second.indexOf("---\n"))}`;
    const folder = folderWith(t, { "m.yaml": text });
    const { stderr } = await runWords(["validate", "-f", join(folder, "m.yaml")], { connectors });
    assert.ok(stderr.includes(QUEUE_TOY.taken("red")), stderr);
  });

  test("is named in no other file of the repository", () => {
    const others = repositoryFiles().filter((path) => !path.startsWith("test/toys/"));
    assert.ok(others.length > 500);
    const texts = others.filter((path) => /\.(?:ts|md|json|yaml|mjs)$/.test(path));
    for (const { word } of [STREAM_TOY, QUEUE_TOY, DESTINATION_TOY, TARGET_TOY]) {
      assert.deepEqual(
        texts.filter((path) => word.test(readFileSync(join(ROOT, path), "utf8"))),
        [],
      );
    }
  });
});
