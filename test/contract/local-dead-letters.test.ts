import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localQueueConnector } from "../../connectors/local/connector.ts";
import { parseQueueArn } from "../../connectors/local/queue-arn.ts";
import { openLocalQueueSource } from "../../connectors/local/queue-source.ts";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import type { DeadLetters } from "../../src/ports/dead-letters.ts";
import { PLAIN_QUEUE_MAPPING } from "../fixtures/queue-mapping.ts";
import { describeDeadLettersContract } from "./dead-letters.ts";

const arnOf = (name: string) => `arn:aws:local:eu-west-1:123456789012:queue/${name}`;

describeDeadLettersContract("local queue", {
  peekHides: false,
  async createQueues(isFifo) {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const path = join(folder, "streams.db");
    const file = openStreamFile(path);
    const ending = isFifo ? ".fifo" : "";
    const dead = file.createQueue({ name: `dead${ending}` });
    const redrive = { deadLetterQueue: `dead${ending}`, maxReceiveCount: 3 };
    file.createQueue({ name: `orders${ending}`, redrive });
    const opened: DeadLetters[] = [];
    return {
      async open(of) {
        const name = of === "plain" ? `dead${ending}` : `orders${ending}`;
        const mapping = { ...PLAIN_QUEUE_MAPPING, eventSourceArn: arnOf(name) };
        const settings = { endpoints: { LOCAL_FILE: [path] } };
        const letters = await localQueueConnector.openDeadLetters?.(mapping, settings);
        if (letters !== undefined) opened.push(letters);
        return letters;
      },
      async fill(letters) {
        dead.send(
          letters.map(({ body, group, colour }) => ({
            body,
            ...(group === undefined ? {} : { groupId: group }),
            ...(colour === undefined
              ? {}
              : { messageAttributes: { colour: { dataType: "String", stringValue: colour } } }),
          })),
        );
      },
      async ofSource() {
        const source = openLocalQueueSource(path, parseQueueArn(arnOf(`orders${ending}`)));
        const bounds = { messagesMax: 10, waitMs: 0, holdMs: 1_000 };
        const messages = await source.receive(bounds, new AbortController().signal);
        const event = JSON.parse(Buffer.from(source.events.encode(messages)).toString());
        await source.close();
        return event.Records.map(
          (each: { body: string; messageAttributes: { colour?: { stringValue: string } } }) =>
            `${each.body} ${each.messageAttributes.colour?.stringValue}`,
        );
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(opened.map((letters) => letters.close()));
        file.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
});
