import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DESTINATION_TOY, openToyDestination } from "../toys/destination-toy.ts";
import { describeDestinationContract } from "./destination.ts";

describeDestinationContract("toy destination", {
  tellsPlaces: false,
  carriesPayload: false,
  async createDestination() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-toy-"));
    const path = join(folder, "given-up.jsonl");
    return {
      open: () => openToyDestination(DESTINATION_TOY.uri(path)),
      async accepted() {
        const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
        return lines.map((line) => JSON.parse(line));
      },
      async setAvailable(isAvailable) {
        // A folder in the file's place is refused to every user.
        if (isAvailable) rmdirSync(path);
        else mkdirSync(path);
      },
      async [Symbol.asyncDispose]() {
        rmSync(folder, { recursive: true });
      },
    };
  },
});
