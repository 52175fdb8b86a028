import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CONTRACT_BUGS } from "../../contract/planted/contract-bugs.ts";
import { CONTROL_BUGS } from "../../simulation/control/control-bugs.ts";
import { EVENT_BUGS } from "../../simulation/events/event-bugs.ts";
import { GRANT_BUGS } from "../../simulation/grants/grant-bugs.ts";
import { HOST_BUGS } from "../../simulation/host/host-bugs.ts";
import { PLANTED_BUGS } from "../../simulation/planted-bugs.ts";
import { SCALER_BUGS } from "../../simulation/scaler/scaler-bugs.ts";
import { SCHEDULE_BUGS } from "../../simulation/schedules/schedule-bugs.ts";
import { TENANT_BUGS } from "../../simulation/tenants/tenant-bugs.ts";
import { ROOT } from "./imports.ts";
import { repositoryFiles } from "./references.ts";

interface Invariant {
  readonly id: string;
  readonly form: string;
  readonly judges: readonly string[];
  readonly planted: readonly string[];
  /** What is still missing, said in words. */
  readonly isOpen: boolean;
}

interface Proofs {
  readonly files: readonly string[];
  /** Names of planted bugs, with the invariants that they break, where they say so. */
  readonly bugs: ReadonlyMap<string, readonly string[] | undefined>;
}

function readInvariants(markdown: string): Invariant[] {
  return markdown
    .split(/^## /m)
    .filter((section) => /^[ISF]\d+ /.test(section))
    .map((section) => {
      const [head = "", ...items] = section.split(/^- /m).map((part) => part.replaceAll(/\s+/g, " "));
      const list = (name: string) => items.find((item) => item.startsWith(`${name}: `)) ?? "";
      return {
        id: /^[ISF]\d+/.exec(section)?.[0] ?? "",
        form: head.slice(head.indexOf(" ")),
        judges: [...list("Judged by").matchAll(/`([^`]+)`/g)].flatMap(([, path]) => path ?? []),
        planted: [...list("Planted").matchAll(/"([^"]+)"/g)].flatMap(([, name]) => name ?? []),
        isOpen: list("Open") !== "",
      };
    });
}

/** What of the page does not hold, in sentences that say what to write. */
function faultsOf(invariants: readonly Invariant[], { files, bugs }: Proofs): string[] {
  const faults = invariants.flatMap((each) => [
    ...each.judges.filter((path) => !files.includes(path)).map((path) => `${each.id}: ${path} is not there`),
    ...(each.judges.length === 0 ? [`${each.id}: name the files that judge it`] : []),
    ...each.planted.flatMap((name) => {
      if (!bugs.has(name)) return [`${each.id}: no planted bug is called "${name}"`];
      const breaks = bugs.get(name);
      return breaks === undefined || breaks.includes(each.id)
        ? []
        : [`${each.id}: "${name}" breaks ${breaks.join()}`];
    }),
    ...(each.planted.length < 2 && !each.isOpen
      ? [`${each.id}: name two planted bugs, or what is open`]
      : []),
  ]);
  for (const path of files) {
    const number = /^test\/simulation\/checkers\/(?:\w+\/)?i(\d+)-[\w-]+\.ts$/.exec(path)?.[1];
    const invariant = invariants.find(({ id }) => id === `I${number}`);
    if (number !== undefined && invariant?.judges.includes(path) !== true)
      faults.push(`I${number}: docs/invariants.md does not name ${path} under "Judged by"`);
  }
  return faults;
}

const PAGE = readFileSync(join(ROOT, "docs/invariants.md"), "utf8");

describe("docs/invariants.md", () => {
  test("has each invariant once, in the order of their numbers, with its precise form", () => {
    const invariants = readInvariants(PAGE);
    for (const letter of ["I", "S", "F"]) {
      const ids = invariants.map(({ id }) => id).filter((id) => id.startsWith(letter));
      const numbers = ids.map((id) => Number(id.slice(1)));
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].toSorted((a, b) => a - b),
      );
    }
    assert.ok(!invariants.some(({ id }) => id === "I24"), "it became S1, and its number is not used again");
    assert.ok(invariants.length >= 30);
    for (const { id, form } of invariants) assert.ok(form.length > 80, `${id} has no form`);
  });

  test("names every checker of the simulation under its invariant, and bugs that are planted against it", () => {
    const bugs = new Map<string, readonly string[] | undefined>([
      ...[
        ...PLANTED_BUGS,
        ...EVENT_BUGS,
        ...GRANT_BUGS,
        ...HOST_BUGS,
        ...SCALER_BUGS,
        ...SCHEDULE_BUGS,
        ...TENANT_BUGS,
      ].map(({ name, breaks }) => [name, breaks] as const),
      ...[...CONTROL_BUGS, ...CONTRACT_BUGS].map(({ name }) => [name, undefined] as const),
    ]);
    assert.deepEqual(faultsOf(readInvariants(PAGE), { files: repositoryFiles(), bugs }), []);
  });

  test("a page that is behind the code is found", () => {
    const files = ["test/simulation/checkers/i1-no-loss.ts", "test/simulation/checkers/queues/i2-order.ts"];
    const bugs = new Map([
      ["loses", ["I1"]],
      ["mixes", ["I2"]],
    ]);
    const page = `## I1 No loss
Form.

- Judged by: \`${files[0]}\`, \`test/gone.ts\`.
- Planted: "loses", "mixes", "was
  renamed".

## I2 Order
Form.

- Judged by: nobody.
- Planted: "mixes".
`;
    assert.deepEqual(faultsOf(readInvariants(page), { files, bugs }), [
      "I1: test/gone.ts is not there",
      'I1: "mixes" breaks I2',
      'I1: no planted bug is called "was renamed"',
      "I2: name the files that judge it",
      "I2: name two planted bugs, or what is open",
      `I2: docs/invariants.md does not name ${files[1]} under "Judged by"`,
    ]);
  });
});
