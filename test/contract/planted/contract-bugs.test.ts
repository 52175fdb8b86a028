import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import type { ContractBug } from "./contract-bug.ts";
import { CONTRACT_BUGS } from "./contract-bugs.ts";
import { huntContractBug } from "./hunt.ts";

/** The whole table is hunted by `npm run contract:bugs`. */
const ROOT = new URL("../../../", import.meta.url);
const FENCE = "SQLite's store does not fence";

describe("bugs planted into adapters", { timeout: 300_000 }, () => {
  test("every planted bug changes something, and has a test file that is there", () => {
    for (const { name, patches, file } of CONTRACT_BUGS) {
      assert.ok(existsSync(new URL(file, ROOT)), `${name}: there is no ${file}`);
      assert.ok(patches.length > 0, `${name} changes nothing`);
    }
  });

  test("no two planted bugs have one name", () => {
    const names = CONTRACT_BUGS.map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)]);
  });

  test("a contract suite fails on a store with a bug in it and passes without", async () => {
    const { isCaught, message } = await huntContractBug(find(FENCE));
    assert.ok(isCaught, message);
  });

  test("a bug that its test does not see is not caught: the hunt can fail", async () => {
    const test = "lists nothing for a mapping that was never started";
    const { isCaught, message } = await huntContractBug({ ...find(FENCE), test });
    assert.deepEqual([isCaught, message], [false, "the test passes with it"]);
  });

  test("a bug whose test is not there is not caught", async () => {
    const { isCaught, message } = await huntContractBug({ ...find(FENCE), test: "no such test" });
    assert.equal(isCaught, false);
    assert.match(message, /exactly one test "no such test" must run and pass: 0 ran/);
  });
});

function find(name: string): ContractBug {
  const bug = CONTRACT_BUGS.find((each) => each.name === name);
  assert.ok(bug !== undefined, `there is no planted bug "${name}"`);
  return bug;
}
