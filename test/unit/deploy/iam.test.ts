import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { CONNECTORS } from "../../../connectors/registry.ts";

const FOLDER = new URL("../../../deploy/iam/", import.meta.url);
const PAGE = readFileSync(new URL("../../../deploy/aws-permissions.md", import.meta.url), "utf8");
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

interface Statement {
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
}

function statements(name: string): readonly Statement[] {
  return JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")).Statement;
}

/** Of the page, outside code blocks, without what only encrypted resources need. */
function documentedActions(): Set<string> {
  const found = PAGE.matchAll(/`((?:dynamodb|kinesis|lambda|s3|sns|sqs):[A-Z][a-z]\w+)`/g);
  return new Set([...found].map((match) => match[1] ?? ""));
}

describe("the IAM policies", () => {
  test("allow what the page of permissions lists, and nothing else", () => {
    const allowed = new Set(NAMES.flatMap((name) => statements(name).flatMap(({ Action }) => Action)));
    assert.deepEqual([...allowed].sort(), [...documentedActions()].sort());
  });

  test("name a resource of one service in each statement, never all resources and never all actions", () => {
    for (const name of NAMES) {
      for (const { Effect, Action, Resource } of statements(name)) {
        assert.equal(Effect, "Allow");
        for (const resource of [Resource].flat()) {
          const [, , service, region = "", , rest = ""] = resource.split(":");
          assert(rest !== "*" && !region.includes("*"), `${name}: ${resource}`);
          for (const action of Action) {
            assert.match(action, new RegExp(`^${service}:\\w+$`), name);
          }
        }
      }
    }
  });

  test("allow what the connectors say that reading takes", () => {
    const ofSources = NAMES.filter((name) => name.startsWith("source-"));
    const allowed = new Set(ofSources.flatMap((name) => statements(name).flatMap(({ Action }) => Action)));
    const named = CONNECTORS.flatMap(({ parameters }) => parameters.actions ?? []);
    assert.deepEqual([...allowed].sort(), named.toSorted());
  });

  test("are all listed in their index", () => {
    const index = readFileSync(new URL("README.md", FOLDER), "utf8");
    for (const name of NAMES) assert(index.includes(`(${name})`), name);
  });
});
