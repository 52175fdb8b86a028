/**
 * Loaded before a process of the fleet (`--import`): its wall clock is wrong by `MILLRACE_CHAOS_SKEW_MS`, and its
 * monotonic clock runs `MILLRACE_CHAOS_RATE` times as fast. Timers keep to the machine's.
 */
const skewMs = Number(process.env["MILLRACE_CHAOS_SKEW_MS"] ?? "0");
const rate = Number(process.env["MILLRACE_CHAOS_RATE"] ?? "1");
const realNow = Date.now;
const realMonotonic = performance.now.bind(performance);

Date.now = () => realNow() + skewMs;
performance.now = () => realMonotonic() * rate;
