/** Loaded before a process: some seconds after its start it holds the event loop for so long, to show that this is seen. */
const AFTER_MS = 6_000;
const HOLD_MS = 300;

setTimeout(() => {
  for (const endMs = performance.now() + HOLD_MS; performance.now() < endMs; );
}, AFTER_MS).unref();
