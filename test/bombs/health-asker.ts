/**
 * A process of its own: asks a process every 20 ms whether it lives, whatever becomes of the questions before, until its standard
 * input ends. Prints what it saw. How late its own timers were says what the machine has to do with it.
 */
import { Agent, get } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";

const ASK_MS = 20;
const SOCKETS_MAX = 64;
const [url = ""] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
const own = monitorEventLoopDelay({ resolution: ASK_MS });
own.enable();
const answeredMs: number[] = [];
let failures = 0;

setInterval(() => {
  const askedMs = performance.now();
  get(`${url}/healthz`, { agent }, (response) => {
    response
      .on("end", () => {
        if (response.statusCode === 200) answeredMs.push(performance.now() - askedMs);
        else failures++;
      })
      .on("error", () => failures++)
      .resume();
  }).on("error", () => failures++);
}, ASK_MS);

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
