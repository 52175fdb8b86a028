import { appendFileSync } from "node:fs";
import { plant } from "../../simulation/planted/plant.ts";
import { CONTRACT_BUGS } from "./contract-bugs.ts";
import { MARKS_VARIABLE, NAME_VARIABLE } from "./hunt.ts";

/**
 * Loaded before anything else by a test file's process, and by all processes and threads that it starts: has each of
 * them load sources with the bug in them, and notes every patch that was applied.
 */
const name = process.env[NAME_VARIABLE];
const marks = process.env[MARKS_VARIABLE];
const bug = CONTRACT_BUGS.find((each) => each.name === name);
if (bug === undefined || marks === undefined) throw new Error(`there is no planted bug "${name}"`);
plant(bug, (patch) => appendFileSync(marks, `${bug.patches.indexOf(patch)}\n`));
