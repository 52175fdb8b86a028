const SETTINGS: Readonly<Record<string, string>> = {
  MALLOC_MMAP_THRESHOLD_: "131072",
  MALLOC_TRIM_THRESHOLD_: "131072",
  MALLOC_ARENA_MAX: "2",
};

/**
 * Environment of a process that is to be started, beside what it is given. Left alone, glibc learns from the largest
 * block that was given back, of up to 32 MiB, to keep as much for itself: after a few large events or frames a process
 * stays some 70 MiB above what it holds. It reads this before anything of ours runs, so it is for whoever starts one;
 * the image has the same. What somebody has set stays as it is.
 */
export function allocatorEnvironment(
  given: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(SETTINGS).filter(([name]) => given[name] === undefined));
}
