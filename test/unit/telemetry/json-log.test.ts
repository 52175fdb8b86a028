import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createJsonLog } from "../../../src/telemetry/json-log.ts";

test("writes a JSON object a line, from its level up", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-log-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "log");
  const descriptor = openSync(file, "w");
  const log = createJsonLog("info", descriptor);
  log("debug", "not written", {});
  log("info", "started\nand\u001b[31m red", { mapping: "a", count: 3 });
  const [line, ...rest] = readFileSync(file, "utf8").trimEnd().split("\n");
  closeSync(descriptor);
  assert.deepEqual(rest, []);
  const { time, ...parsed } = JSON.parse(line ?? "");
  assert.match(time, /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(parsed, { level: "info", mapping: "a", count: 3, message: "started\nand\u001b[31m red" });
  assert(!line?.includes("\u001b"));
});
