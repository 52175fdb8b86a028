import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgressBar } from "../../../src/cli/progress-bar.ts";
import { createManualClock } from "../functions/manual-clock.ts";

test("on a terminal one bar is drawn again and again, with what is to go, and its last state stays", () => {
  const { bar, clock, written } = startBar({ isTTY: true, columns: 80 });
  bar.show({ done: 0, total: 200, text: "0 of 200 seeds" });
  clock.advance(10_000);
  bar.show({ done: 50, total: 200, text: "50 of 200 seeds" });
  bar.show({ done: 200, total: 200, text: "200 of 200 seeds" });
  bar.stop();
  assert.deepEqual(written, [
    "[--------------------]   0 %  0 of 200 seeds",
    "\r\u001b[2K[#####---------------]  25 %  50 of 200 seeds   about 30.0 s to go",
    "\r\u001b[2K[####################] 100 %  200 of 200 seeds",
    "\n",
  ]);
});

test("lines come above the bar, and no bar is wider than the terminal", () => {
  const { bar, written } = startBar({ isTTY: true, columns: 30 });
  bar.show({ done: 1, total: 2, text: "a text that is much longer than that" });
  bar.line("seed 7 failed");
  assert.equal(written[0]?.length, 29);
  assert.equal(written[1], `\r\u001b[2Kseed 7 failed\n${written[0]}`);
});

test("without a terminal there is a plain line at once and one in five seconds", () => {
  const { bar, clock, written } = startBar({});
  for (let second = 0; second <= 10; second++) {
    bar.show({ done: second, total: 10, text: `${second} of 10` });
    clock.advance(1_000);
  }
  bar.stop();
  assert.deepEqual(written, [
    "  0 %  0 of 10\n",
    " 50 %  5 of 10   about 5.0 s to go\n",
    "100 %  10 of 10\n",
  ]);
});

function startBar(terminal: { isTTY?: boolean; columns?: number }) {
  const clock = createManualClock();
  const written: string[] = [];
  const bar = new ProgressBar({ ...terminal, write: (text) => written.push(text) }, clock);
  return { bar, clock, written };
}
