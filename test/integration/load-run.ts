import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { LoadResult } from "../../src/load/load-result.ts";
import { MillraceProcess } from "./cli/millrace-process.ts";

/** Nothing in these tests may be judged by how fast the machine is. */
export const PATIENT = "engine: { checkpointLateMs: 60000 }\ndrainSeconds: 300";

/** What `millrace load` left behind. */
export interface LoadEnd {
  readonly status: number | null;
  readonly load: MillraceProcess;
  /** Text of one of the files that it wrote. */
  out(name: string): string;
  result(): LoadResult;
}

/** Runs a load test with this `spec`, in a folder with these files beside the scenario, to its end. */
export async function runScenario(
  t: TestContext,
  spec: string,
  files: Readonly<Record<string, string>> = {},
): Promise<LoadEnd> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-load-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const file = join(folder, "load.yaml");
  writeFileSync(
    file,
    `apiVersion: millrace.dev/v1\nkind: LoadTest\nmetadata: { name: short }\nspec:\n${spec.replaceAll(/^/gm, "  ")}\n`,
  );
  const load = new MillraceProcess(t, ["load", "-f", file, "--out", join(folder, "out")], folder);
  const { status } = await load.ended;
  const out = (name: string) => readFileSync(join(folder, "out", name), "utf8");
  const result = () => JSON.parse(out("result.json")) as LoadResult;
  return { status, load, out, result };
}

/** Stops a test that hangs; no behaviour is judged by it. */
export const HANG = { timeout: 300_000 };
const RECORDS = 300;

/**
 * Runs a small load test on a source that exists, and judges by its ledger: the source took all records, and each of
 * them succeeded, in order where the source has one, and once.
 */
export async function loadExistingSource(t: TestContext, source: ExistingSource): Promise<void> {
  const { mapping, errors, foreign = 0, files = {} } = source;
  const { status, load, out, result } = await runScenario(
    t,
    `${PATIENT}
rate: [{ seconds: 2, perSecond: 100, burst: { records: 50, everySeconds: 1 } }]
keys: { count: 20, skew: 0.5 }
record: { bytes: 128, bytesMax: 1000 }
function: { timeoutSeconds: 100, latency: { ms: 2 }, errors: { ${errors} } }
mapping:
${mapping.replaceAll(/^/gm, "  ")}`,
    files,
  );
  const said = () => `${load.stdout}${load.stderr}${out("engine.log").slice(-4_000)}`;
  assert.equal(status, 0, said());
  const { ledger, passed } = result();
  assert.equal(passed, true);
  const { violations, generated, accepted, refused, unknown, delivered, succeeded } = ledger;
  assert.deepEqual(
    violations,
    { lost: 0, outOfOrder: 0, duplicatesBeyondBound: 0, phantoms: 0 },
    ledger.examples.join("\n"),
  );
  assert.deepEqual(
    { generated, accepted, refused, unknown, delivered, succeeded },
    {
      generated: RECORDS,
      accepted: RECORDS,
      refused: 0,
      unknown: 0,
      delivered: RECORDS,
      succeeded: RECORDS,
    },
    said(),
  );
  assert.equal(ledger.foreign, foreign, "records that were in the source before");
}

export interface ExistingSource {
  /** Members of the scenario's `mapping`: lines of YAML. */
  readonly mapping: string;
  /** How the function goes wrong: `throwPercent: 2`. */
  readonly errors: string;
  /** Records from before that come too. Default: 0, since streams are read from their latest record on. */
  readonly foreign?: number;
  /** Beside the scenario: secrets, say. */
  readonly files?: Readonly<Record<string, string>>;
}
