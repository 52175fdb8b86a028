import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { FunctionTask } from "./function-target-run.ts";

type StreamTask = Extract<FunctionTask, { readonly task: "stream" }>;

/** Writes the pieces of a task, each when the file before it is there; whoever left ends it. */
export async function writePieces(
  { pieces }: StreamTask,
  write: (text: string) => void,
  isOver: () => boolean,
): Promise<void> {
  for (const { text, after } of pieces) {
    while (after !== undefined && !existsSync(after) && !isOver()) await pause(5);
    write(text);
  }
}
