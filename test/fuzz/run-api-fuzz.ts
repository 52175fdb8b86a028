import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readCredentials } from "../../src/api/access-credentials.ts";
import { CREDENTIALS, WRITE_TOKEN } from "../unit/api/api-fixture.ts";
import { fuzzApi } from "./fuzz-api.ts";
import { fuzzHttp } from "./fuzz-http.ts";

/** `npm run fuzz:api -- [--cases N] [--seed N]`: one case in a hundred goes over a socket. */
const { values } = parseArgs({
  options: { cases: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" } },
});
const cases = Number(values.cases);
const seed = Number(values.seed);
const folder = mkdtempSync(join(tmpdir(), "millrace-fuzz-"));
const path = join(folder, "credentials.yaml");
writeFileSync(path, CREDENTIALS);
const credentials = readCredentials(path, { WRITE_TOKEN });
rmSync(folder, { recursive: true });

const started = performance.now();
const told = { at: started };
function progress(what: string, done: number): void {
  if (performance.now() - told.at < 60_000) return;
  told.at = performance.now();
  process.stdout.write(`${what}: ${done} cases\n`);
}

const overSockets = await fuzzHttp({ cases: Math.ceil(cases / 100), seed, credentials }, (done) =>
  progress("over sockets", done),
);
show("over sockets", overSockets);
show("injected", await fuzzApi({ cases, seed, credentials }, (done) => progress("injected", done)));
process.stdout.write(`No failure in ${Math.round((performance.now() - started) / 1000)} s, seed ${seed}.\n`);

function show(what: string, { cases: count, statuses }: typeof overSockets): void {
  const parts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, times]) => `${status}: ${times}`);
  process.stdout.write(`${what}: ${count} cases; answers by status (0: hung up) ${parts.join(", ")}\n`);
}
