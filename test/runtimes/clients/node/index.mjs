import { appendFileSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

if (process.env.BROKEN !== undefined) throw new RangeError("broken at its start");

const MARK = join(tmpdir(), "mark");
let calls = 0;

/** The function of the suite of runtimes in Node: does what its event says. */
export async function handler(event, context) {
  calls += 1;
  if (process.env.EXECUTIONS_FILE !== undefined) appendFileSync(process.env.EXECUTIONS_FILE, ".");
  switch (event.task) {
    case "returnNull":
      return null;
    case "returnBytes":
      return "x".repeat(event.bytes - 2);
    case "throw":
      throw Object.assign(new Error(event.message), { name: event.errorType });
    case "fail":
      throw new Error(event.message);
    case "exit":
      return process.exit(event.status);
    case "mark":
      writeFileSync(MARK, "");
      return await hang();
    case "hang":
      return await hang();
    case "block":
      for (;;);
    case "meet":
      await meet(event.place);
      return tell(context);
    case "tell":
      return tell(context);
    default:
      // An event of AWS is no order, and goes back as it came.
      return event;
  }
}

export const streamed = awslambda.streamifyResponse(async (event, stream) => {
  for (let written = 0; written < event.bytes; written += 6) {
    if (!stream.write("stream")) await new Promise((resolve) => stream.once("drain", resolve));
  }
  if (event.task === "breakStream") throw new Error("the stream broke");
  stream.end();
});

function tell(context) {
  return {
    calls,
    pid: process.pid,
    requestId: context.awsRequestId,
    functionArn: context.invokedFunctionArn,
    marked: existsSync(MARK),
    folder: tmpdir(),
    custom: context.clientContext?.custom ?? null,
  };
}

function hang() {
  return new Promise((resolve) => setTimeout(resolve, 1_000_000_000));
}

async function meet(place) {
  writeFileSync(join(place, String(process.pid)), "");
  while (readdirSync(place).length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
}
