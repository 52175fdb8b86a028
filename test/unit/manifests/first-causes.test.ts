import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { loadManifests } from "../../../src/manifests/load-manifests.ts";
import { problemCount } from "../../../src/manifests/problem.ts";
import { CONTEXT, FUNCTION, folderWith, problemsOf, SOURCE_ARN, withMapping } from "./manifest-samples.ts";

test("a field that is misspelt is told, and not what is missing without it", (t) => {
  assert.deepEqual(problemsOf(t, FUNCTION.replace("http:", "htpp:")), [
    'm.yaml:4:9: Function orders, spec.htpp: There is no field "htpp". Did you mean http?',
  ]);
  assert.deepEqual(problemsOf(t, withMapping().replace("  functionName:", "  functionname:")), [
    'm.yaml:10:3: EventSourceMapping orders-stream, spec.functionname: There is no field "functionname". Did you mean functionName?',
  ]);
  assert.deepEqual(problemsOf(t, withMapping().replace("  eventSourceArn:", "  eventSourceArns:")), [
    'm.yaml:11:3: EventSourceMapping orders-stream, spec.eventSourceArns: There is no field "eventSourceArns". Did you mean eventSourceArn?',
  ]);
});

test("a spec of another shape is told once, without the rules that look into it", (t) => {
  const [first, ...others] = problemsOf(t, FUNCTION.replace(/spec: .*/, "spec: [1]"));
  assert.match(first ?? "", /^m\.yaml:4:7: Function orders, spec: The value is a list\./);
  assert.deepEqual(others, []);
});

test("a function that could not be read is not missed by its mappings", (t) => {
  const broken = withMapping().replace("kind: Function\n", "kind: Funktion\n");
  assert.deepEqual(
    problemsOf(t, broken).map((line) => line.slice(0, 45)),
    ["m.yaml:2:7: Funktion orders, kind: There is n"],
  );
});

test("a file tells twenty problems, and how many there are beside them", (t) => {
  const mappings = Array.from({ length: 33 }, (_, index) => {
    return `---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: m${index} }
spec: { functionName: lost, eventSourceArn: "${SOURCE_ARN}${index}", startingPosition: LATEST, endpoints: { LOCAL_FILE: [o.db] } }
`;
  });
  const folder = folderWith(t, { "a.yaml": FUNCTION + mappings.join(""), "b.yaml": "kind: Nothing\n" });
  const loaded = loadManifests([join(folder, "a.yaml")], CONTEXT);
  assert.ok(loaded.kind === "invalid");
  assert.equal(loaded.problems.length, 21);
  assert.equal(loaded.problems.at(-1)?.message, "There are 13 more problems in this file");
  assert.equal(problemCount(loaded.problems), 33);
  const both = loadManifests([folder], CONTEXT);
  assert.ok(both.kind === "invalid");
  assert.deepEqual(
    both.problems.map(({ file }) => file.slice(folder.length + 1)),
    ["b.yaml"],
    "functions may stand there",
  );
});
