import assert from "node:assert/strict";
import { test } from "node:test";
import { createJsonLog } from "../../../src/telemetry/json-log.ts";

test("writes a JSON object a line, from its level up", () => {
  let text = "";
  const log = createJsonLog("info", {
    write(line) {
      text += line;
    },
  });
  log("debug", "not written", {});
  log("info", "started\nand\u001b[31m red", { mapping: "a", count: 3 });
  const [line, ...rest] = text.trimEnd().split("\n");
  assert.deepEqual(rest, []);
  const { time, ...parsed } = JSON.parse(line ?? "");
  assert.match(time, /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(parsed, { level: "info", mapping: "a", count: 3, message: "started\nand\u001b[31m red" });
  assert(!line?.includes("\u001b"));
});
