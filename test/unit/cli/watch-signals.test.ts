import assert from "node:assert/strict";
import { test } from "node:test";
import type { CliHost } from "../../../src/cli/command.ts";
import type { StopSignal } from "../../../src/cli/stop-signal.ts";
import { watchSignals } from "../../../src/cli/watch-signals.ts";

test("without a terminal a hang-up has manifests read again, any number of times, and stops nothing", async () => {
  const { send, done } = world(false);
  for (const signal of ["SIGHUP", "SIGHUP", "SIGTERM", "SIGHUP"] as const) send(signal);
  assert.deepEqual(done, ["reload", "reload", "reload"]);
  assert.equal(await send.first, "SIGTERM");
});

test("a terminal that is closed stops, and a second signal ends at once", async () => {
  const { send, done } = world(true);
  send("SIGHUP");
  assert.equal(await send.first, "SIGHUP");
  send("SIGHUP");
  assert.deepEqual(done, ["before exit", "exit 129"]);
});

function world(isTTY: boolean) {
  const done: string[] = [];
  let listener: (signal: StopSignal) => void = () => assert.fail("nobody listens");
  const host = {
    stderr: { isTTY, write: () => true },
    onStopSignal: (heard: typeof listener) => {
      listener = heard;
    },
    exitNow: (status: number) => void done.push(`exit ${status}`),
  } as unknown as CliHost;
  const first = watchSignals(host, () => undefined, {
    onReload: () => void done.push("reload"),
    beforeExit: () => void done.push("before exit"),
  });
  return { done, send: Object.assign((signal: StopSignal) => listener(signal), { first }) };
}
