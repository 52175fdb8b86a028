import type { Flags } from "./command.ts";
import { lastValue, usageError } from "./parse-flags.ts";

/** Who is asked by alarms of rollouts that have a query. */
export const PROMETHEUS_FLAG = {
  prometheus: {
    value: "URL",
    description:
      "The Prometheus that alarms of rollouts ask their queries of (prometheusQuery), such as http://prometheus:9090. Without it a rollout with a query waits before each step.",
  },
} as const;

/** @throws MillraceError ERR_MILLRACE_CONFIG */
export function readPrometheus(flags: Flags): string | undefined {
  const text = lastValue(flags, "prometheus");
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url !== undefined && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "";
  if (isPlain) return text;
  // It may have a password in it.
  throw usageError(
    "--prometheus is no address of a Prometheus. Give http://HOST:PORT, without user, password and ?.",
  );
}
