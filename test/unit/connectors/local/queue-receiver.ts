import { openLocalQueueSource } from "../../../../connectors/local/queue-source.ts";
import { openLocalStream } from "../../../../connectors/local/stream-file.ts";
import { bodiesOf, NO_ABORT, queueArn } from "./queue-fixture.ts";

/**
 * Run as a process of its own: receives until the queue has nothing for it, notes what it begins and ends in the stream
 * "log" of the same file, and acknowledges. With `hang` it says that it holds messages, and never settles them.
 */
const [path = "", name = "", mode = "work"] = process.argv.slice(2);
const source = openLocalQueueSource(path, queueArn(name));
const log = openLocalStream(path, "log");
for (;;) {
  const messages = await source.receive({ messagesMax: 10, waitMs: 1_000, holdMs: 600_000 }, NO_ABORT);
  if (messages.length === 0) break;
  if (mode === "hang") {
    process.stdout.write(`${messages.length} held\n`);
    setInterval(() => {}, 60_000);
    break;
  }
  const batch = messages[0]?.messageId;
  const note = (what: string) =>
    log.append(
      bodiesOf(source, messages).map((body) => ({ partitionKey: "log", data: `${what} ${batch} ${body}` })),
    );
  note("begin");
  await new Promise(setImmediate);
  note("end");
  await source.acknowledge(messages);
}
if (mode !== "hang") {
  await source.close();
  log.close();
}
