import { randomUUID } from "node:crypto";
import type { Message } from "rhea";
import { createRheaClient } from "../../connectors/activemq/rhea-client.ts";
import type { ActivemqQueue } from "../contract/activemq-harness.ts";
import type { ActivemqServer } from "./activemq.ts";

/** A queue of the server, which is made when somebody reads or sends. */
export function activemqQueue(server: ActivemqServer): ActivemqQueue {
  const name = `queue-${randomUUID()}`;
  return {
    name,
    client: () => createRheaClient({ ...server.options(), place: name }),
    send: (messages) =>
      sendAll(
        server,
        name,
        messages.map(({ body, groupId }) => ({
          body,
          durable: true,
          message_id: `ID:${randomUUID()}`,
          ...(groupId === undefined ? {} : { group_id: groupId }),
        })),
      ),
    sendMap: () => sendAll(server, name, [{ body: { a: 1 }, message_id: `ID:${randomUUID()}` }]),
  };
}

/** Resolves when the broker has taken them all. */
export async function sendAll(
  server: ActivemqServer,
  queue: string,
  messages: readonly Message[],
): Promise<void> {
  const connection = await server.connect();
  const sender = connection.open_sender(queue);
  const taken = Promise.withResolvers<void>();
  let sent = 0;
  let accepted = 0;
  sender.on("sendable", () => {
    for (; sent < messages.length && sender.sendable(); sent++) {
      const message = messages[sent];
      if (message !== undefined) sender.send(message);
    }
  });
  sender.on("accepted", () => {
    if (++accepted === messages.length) taken.resolve();
  });
  sender.on("sender_error", () => taken.reject(sender.error));
  connection.on("disconnected", () => taken.reject(new Error("the broker has gone")));
  await taken.promise;
  connection.removeAllListeners("disconnected");
  connection.on("disconnected", () => undefined);
  connection.close();
}
