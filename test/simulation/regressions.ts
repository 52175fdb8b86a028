import { readFileSync, writeFileSync } from "node:fs";
import type { Scenario } from "./scenario.ts";

/** A scenario that once failed, kept for ever. `found` says what went wrong. */
export interface Regression {
  readonly found: string;
  readonly scenario: Scenario;
}

const FILE = new URL("seeds/regressions.json", import.meta.url);

export function readRegressions(): readonly Regression[] {
  return JSON.parse(readFileSync(FILE, "utf8"));
}

export function addRegression(regression: Regression): void {
  const lines = [...readRegressions(), regression].map((each) => JSON.stringify(each));
  writeFileSync(FILE, `[\n${lines.join(",\n")}\n]\n`);
}
