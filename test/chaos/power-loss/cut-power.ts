import { parseArgs } from "node:util";
import { cutPower } from "./power-loss.ts";

/**
 * `npm run chaos:power -- [--events N] [--cuts N]`: has a process put events into SQLite, and asks at many places what
 * a disk would have of them that forgets all it was not told to keep. Exit status 1 when an event that was answered is
 * lost, or when none is lost by a connection that does not wait for the disk: then nothing was proved.
 */
const { values } = parseArgs({ options: { events: { type: "string" }, cuts: { type: "string" } } });
const size = { events: Number(values.events ?? 2_000), cuts: Number(values.cuts ?? 1_500) };
const [full, normal] = [cutPower({ ...size, mode: "full" }), cutPower({ ...size, mode: "normal" })];
if (full === undefined || normal === undefined) {
  console.log("There is no C compiler (cc) here, or this is no Linux: nothing can be cut.");
} else {
  for (const [mode, { steps, cuts, answers, lost }] of Object.entries({ full, normal }))
    console.log(
      `synchronous=${mode}: ${steps} steps, ${cuts} cuts, ${answers} answers asked for, ${lost.length} lost`,
    );
  for (const what of full.lost.slice(0, 20)) console.log(what);
  process.exitCode = full.lost.length === 0 && normal.lost.length > 0 ? 0 : 1;
}
