import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { ContractBug } from "./contract-bug.ts";
import { CONTRACT_BUGS } from "./contract-bugs.ts";
import { huntContractBug, SoundRuns } from "./hunt.ts";

/**
 * `npm run contract:bugs [-- --servers] [-- --only TEXT]`: plants each bug of an adapter and demands that its contract
 * suite fails. `--servers`: those alone that need a server from Maven, Debian or PyPI, one after the other. Exit status
 * 1 when one is not caught.
 */
const { values } = parseArgs({ options: { servers: { type: "boolean" }, only: { type: "string" } } });
const onServers = values.servers ?? false;
const bugs = CONTRACT_BUGS.filter(({ name }) => name.includes(values.only ?? "")).filter(
  ({ needsServer = false }) => needsServer === onServers,
);
const sound = new SoundRuns(bugs);
let missed = 0;
const next = bugs.values();
await Promise.all(Array.from({ length: onServers ? 1 : availableParallelism() }, huntNext));
console.log(`${bugs.length - missed} of ${bugs.length} planted bugs were caught by contract suites`);
process.exitCode = missed === 0 ? 0 : 1;

async function huntNext(): Promise<void> {
  for (let bug = next.next().value; bug !== undefined; bug = next.next().value) await report(bug);
}

async function report(bug: ContractBug): Promise<void> {
  const { isCaught, message } = await huntContractBug(bug, sound);
  if (!isCaught) missed += 1;
  console.log(`${isCaught ? "caught" : "NOT CAUGHT"}  ${bug.name}: ${message}`);
}
