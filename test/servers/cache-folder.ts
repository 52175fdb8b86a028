import { homedir } from "node:os";
import { join } from "node:path";

/** Where what tests need is kept between runs: the user's cache, never the checkout. */
export function cacheFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "millrace");
}
