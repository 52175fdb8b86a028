import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export interface Flight {
  readonly origin: string;
  readonly destination: string;
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
}

/** The 20,000 flights of the data set, in its order: real airports, very unevenly used. */
export function readFlights(): readonly Flight[] {
  const folder = createRequire(import.meta.url)
    .resolve.paths("vega-datasets")
    ?.find(hasDataSet);
  if (folder === undefined) throw new Error("vega-datasets is not installed: run npm ci first");
  return JSON.parse(readFileSync(dataSetIn(folder), "utf8"));
}

/** As a broken producer leaves it. */
export function cutOff(text: string): string {
  return text.slice(0, text.length / 2);
}

function dataSetIn(folder: string): string {
  return `${folder}/vega-datasets/data/flights-20k.json`;
}

function hasDataSet(folder: string): boolean {
  try {
    readFileSync(dataSetIn(folder));
    return true;
  } catch {
    return false;
  }
}
