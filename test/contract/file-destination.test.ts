import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileDestination } from "../../src/destinations/file.ts";
import type { Destination } from "../../src/ports/destination.ts";
import { describeDestinationContract } from "./destination.ts";

describeDestinationContract("file", {
  tellsPlaces: true,
  carriesPayload: true,
  async createDestination() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const path = join(folder, "failures", "failed.jsonl");
    const destinations: Destination[] = [];
    return {
      async open() {
        const destination = createFileDestination(path);
        destinations.push(destination);
        return destination;
      },
      async accepted() {
        const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
        return lines.map((line) => {
          const { id, ...document } = JSON.parse(line);
          return { id, document };
        });
      },
      async setAvailable(isAvailable) {
        // A folder in the file's place is refused to every user, also to root.
        if (!isAvailable) {
          mkdirSync(join(folder, "failures"), { recursive: true });
          mkdirSync(path);
        } else {
          rmdirSync(path);
        }
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(destinations.map((destination) => destination.close()));
        rmSync(folder, { recursive: true });
      },
    };
  },
});
