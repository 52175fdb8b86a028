import { readFileSync } from "node:fs";

/** The version of the package, which is two folders up from here in a checkout and three in `dist/`. */
export function readVersion(): string {
  for (const place of ["../../package.json", "../../../package.json"]) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8"));
      if (name === "millrace") return String(version);
    } catch {}
  }
  return "unknown";
}
