#!/usr/bin/env node
import { nodeTooOld } from "./system/node-version.ts";
import { holdStopSignals } from "./system/stop-signals.ts";
import { keepYoungGenerationSmall } from "./system/young-generation.ts";

// Nothing else is imported before both: an old Node does not get as far as saying so, and loading all takes half a
// second, in which a signal would be lost to the first process of a container and would kill any other one without a
// drain.
const complaint = nodeTooOld(process.versions.node);
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  process.exit(2);
}
const words = process.argv.slice(2);
if (words[0] === "run" || words[0] === "dev") holdStopSignals(process);
keepYoungGenerationSmall();
const { endWith, main } = await import("./main.ts");
endWith(await main(words));
