import { request } from "undici";
import type { AlarmQuery } from "../ports/alarm-query.ts";
import type { Clock } from "../ports/clock.ts";
import type { Telemetry } from "../ports/telemetry.ts";

const ANSWER_MS_MAX = 5_000;
const ANSWER_BYTES_MAX = 1_048_576;

export interface PrometheusOptions {
  /** Where Prometheus is, as `http://prometheus:9090`; its API is below. */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Telemetry["log"];
}

/** `trouble`: why nobody knows, without anything that the server wrote. */
type Answer = { readonly isOn: boolean } | { readonly trouble: string };

/**
 * Asks a Prometheus whether an alarm is on: it is while its query answers with anything, as a rule of alerts is.
 * Redirects are not followed. That it cannot be asked is logged once, until it can be asked again.
 */
export function createPrometheusAlarms({ url, clock, log }: PrometheusOptions): AlarmQuery {
  const target = new URL(`${url.replace(/\/$/, "")}/api/v1/query`);
  let isAway = false;
  return {
    async ask(query) {
      const timeout = new AbortController();
      const timer = clock.schedule(ANSWER_MS_MAX, () => timeout.abort());
      const late = `no answer within ${ANSWER_MS_MAX} ms`;
      const answer = await asked(target, query, timeout.signal).catch((error: unknown): Answer => {
        return { trouble: timeout.signal.aborted ? late : codeOf(error) };
      });
      timer.cancel();
      if ("isOn" in answer) {
        if (isAway) log("info", "Prometheus answers again", {});
        isAway = false;
        return answer.isOn;
      }
      if (!isAway)
        log("warn", "Prometheus does not say how alarms are: their rollouts wait", { error: answer.trouble });
      isAway = true;
      return undefined;
    },
  };
}

async function asked(url: URL, query: string, signal: AbortSignal): Promise<Answer> {
  const { statusCode, body } = await request(url, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams({ query }).toString(),
    signal,
    // Asked now and then: no connection is kept for it.
    reset: true,
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) return { trouble: "the answer is too long" };
    chunks.push(chunk);
  }
  if (statusCode !== 200) return { trouble: `status ${statusCode}` };
  return answerIn(Buffer.concat(chunks).toString());
}

function answerIn(text: string): Answer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { status, data } = members(value);
  const { result } = members(data);
  if (status !== "success" || !Array.isArray(result)) return { trouble: "this is no answer of Prometheus" };
  return { isOn: result.length > 0 };
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** `ECONNREFUSED` and its like; never a text, which may hold an address. */
function codeOf(error: unknown): string {
  const { code } = members(error);
  return typeof code === "string" ? code.slice(0, 60) : "the connection failed";
}
