import { isObject, type JsonObject } from "./api-client.ts";
import type { ProgressStep } from "./progress-bar.ts";
import { formatBytes, formatCount, formatCounted, printable } from "./terminal-text.ts";

/** What a redrive would do, in lines. */
export function dryRunText(plan: JsonObject): string {
  const payload = isObject(plan["payload"]) ? plan["payload"] : {};
  const of = (members: JsonObject, name: string) => formatCount(Number(members[name] ?? 0));
  const times = [plan["fromMs"], plan["untilMs"]].filter((time) => typeof time === "number").map(timeText);
  const selected = [
    ...["failure", "record", "key", "shard"].map((noun) =>
      formatCounted(Number(plan[`${noun}s`] ?? 0), noun),
    ),
    formatBytes(Number(plan["bytes"])),
  ].join(", ");
  const remarks: readonly unknown[] = Array.isArray(plan["remarks"]) ? plan["remarks"] : [];
  const lines = [
    `${selected}${times.length === 0 ? "" : `, ${times.join(" to ")}`}`,
    `payload: ${of(payload, "kept")} kept, ${of(payload, "gone")} gone, ${of(payload, "reread")} to re-read from the source`,
    ...(Number(payload["unseen"]) > 0 ? [`${of(payload, "unseen")} more were not looked at`] : []),
    ...(Number(plan["taken"]) > 0
      ? [`${formatCounted(Number(plan["taken"]), "failure")} left out: in another redrive`]
      : []),
    ...remarks.map(String),
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

export function movedText(moved: number): string {
  return `${formatCounted(moved, "message")} went back to ${moved === 1 ? "its" : "their"} queue`;
}

function timeText(epochMs: unknown): string {
  return new Date(Number(epochMs)).toISOString().slice(0, 19);
}

/** How far it is, and what came of it. */
export function progressStep(status: JsonObject): ProgressStep {
  const counts = isObject(status["counts"]) ? status["counts"] : {};
  const of = (name: string) => Number(counts[name] ?? 0);
  const total = Math.max(of("selected"), of("loaded"));
  const done = of("done") + of("failed") + of("gone") + of("uncertain") + of("held");
  const text = [
    `${String(status["name"])}  ${formatCount(done)}/${formatCount(total)}`,
    `ok ${formatCount(of("done"))}`,
    ...wordOf("failed again", of("failed")),
    ...wordOf("held back", of("held")),
    ...wordOf("uncertain", of("uncertain")),
    ...wordOf("gone", of("gone")),
  ].join("  ");
  return { done, total, text: printable(text) };
}

function wordOf(word: string, count: number): readonly string[] {
  return count === 0 ? [] : [`${word} ${formatCount(count)}`];
}

/** What came of it, and what is to be done now. */
export function endText(status: JsonObject): readonly string[] {
  const counts = isObject(status["counts"]) ? status["counts"] : {};
  const of = (name: string) => Number(counts[name] ?? 0);
  const name = printable(String(status["name"]));
  const again = `millrace failures redrive ${name}`;
  return [
    progressStep(status).text,
    ...(status["state"] === "paused" ? [`paused; resume: ${again}`] : []),
    ...(status["state"] === "cancelled"
      ? ["cancelled; what waited is open again: millrace failures list"]
      : []),
    ...(of("failed") > 0
      ? [`${of("failed")} failed again and are failures of their own: millrace failures list`]
      : []),
    ...(of("uncertain") > 0
      ? [`${of("uncertain")} may or may not have run when a process died: ${again} --retry-uncertain`]
      : []),
    ...(of("gone") > 0 ? [`${of("gone")} are not at their destination any more`] : []),
  ];
}
