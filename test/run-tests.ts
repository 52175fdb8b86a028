import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

/**
 * `node test/run-tests.ts PATTERN...`: `node --test` with a file for each core at once. Its own default leaves a core
 * to the runner, which does little: on two cores that is half of the time.
 */
const patterns = process.argv.slice(2);
if (patterns.length === 0) throw new Error("which tests? give patterns of their files");
const words = ["--test", `--test-concurrency=${availableParallelism()}`, ...patterns];
const runner = spawn(process.execPath, words, { stdio: "inherit" });
runner.on("close", (status) => {
  process.exitCode = status ?? 1;
});
