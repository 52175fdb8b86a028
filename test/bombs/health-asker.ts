/**
 * A process of its own: asks a process every 20 ms whether it lives, until its standard input ends, and prints what it
 * saw. How late its own timers were says what the machine has to do with it.
 */
import { Agent, get } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";

const ASK_MS = 20;
/** More that wait for the same step would only wait for each other. */
const OPEN_MAX = 8;
const [url = ""] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: OPEN_MAX });
const own = monitorEventLoopDelay({ resolution: ASK_MS });
own.enable();
const answeredMs: number[] = [];
let failures = 0;
let open = 0;

setInterval(() => {
  if (open < OPEN_MAX) ask();
}, ASK_MS);

function ask(): void {
  const askedMs = performance.now();
  open++;
  const failed = () => {
    open--;
    failures++;
  };
  get(`${url}/healthz`, { agent }, (response) => {
    response
      .on("end", () => {
        open--;
        answeredMs.push(performance.now() - askedMs);
        if (response.statusCode !== 200) failures++;
      })
      .on("error", failed)
      .resume();
  }).on("error", failed);
}

process.stdin
  .on("end", () => {
    answeredMs.sort((a, b) => a - b);
    const slowest = answeredMs.slice(-5).map(Math.round);
    const ownLateMs = Math.max(0, Math.round(own.max / 1e6 - ASK_MS));
    process.stdout.write(
      `${JSON.stringify({ asked: answeredMs.length, failures, slowest, ownLateMs })}\n`,
      () => process.exit(0),
    );
  })
  .resume();
