import { spawn } from "node:child_process";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

/**
 * `node test/run-tests.ts PATTERN...`: `node --test` with a file for each core at once. Its own default leaves a core
 * to the runner, which does little: on two cores that is half of the time.
 */
const patterns = process.argv.slice(2);
if (patterns.length === 0) throw new Error("which tests? give patterns of their files");
const words = ["--test", `--test-concurrency=${availableParallelism()}`, ...patterns];
/** Each file is a process of its own, and many start further ones: what they load is compiled once for all of them. */
const COMPILED = join(tmpdir(), "millrace-compiled");
const env = { NODE_COMPILE_CACHE: COMPILED, ...process.env };
const runner = spawn(process.execPath, words, { stdio: "inherit", env });
runner.on("close", (status) => {
  process.exitCode = status ?? 1;
});
