import type { Connection } from "rhea";
import type { BrokerChannel, BrokerClient } from "../../src/brokers/broker-client.ts";
import { BrokerFault } from "../../src/brokers/broker-fault.ts";
import { inTime } from "../../src/brokers/in-time.ts";
import { amqpFault } from "./amqp-fault.ts";
import type { AmqpDelivery } from "./amqp-message.ts";
import { RheaChannel } from "./rhea-channel.ts";
import { connectAny, type RheaOptions } from "./rhea-connection.ts";

/** ActiveMQ by AMQP 1.0: one connection, made anew when it is lost and somebody asks. */
export function createRheaClient(options: RheaOptions): BrokerClient<AmqpDelivery> {
  let connection: Promise<Connection> | undefined;
  let isClosed = false;
  const channels = new Set<BrokerChannel>();
  const connected = (): Promise<Connection> => {
    if (connection !== undefined) return connection;
    const opening = connectAny(options);
    const forget = () => {
      if (connection === opening) connection = undefined;
    };
    opening.then((open) => {
      open.on("disconnected", forget);
      open.on("connection_close", forget);
    }, forget);
    connection = opening;
    return opening;
  };
  return {
    async open(events) {
      if (isClosed) throw new BrokerFault("ERR_MILLRACE_SOURCE_UNAVAILABLE", "The connection was closed.");
      try {
        const open = await connected();
        const channel: RheaChannel = new RheaChannel(open, options.place, {
          ...events,
          onEnd: (error) => {
            channels.delete(channel);
            events.onEnd(error);
          },
        });
        channels.add(channel);
        return channel;
      } catch (error) {
        throw amqpFault(error, options.place, "login");
      }
    },
    async close() {
      isClosed = true;
      const open = connection;
      connection = undefined;
      await Promise.all([...channels].map((channel) => channel.close()));
      await open?.then((each) => inTime(closed(each))).catch(() => undefined);
    },
  };
}

function closed(connection: Connection): Promise<void> {
  if (connection.is_closed()) return Promise.resolve();
  const over = Promise.withResolvers<void>();
  connection.once("connection_close", () => over.resolve());
  connection.once("disconnected", () => over.resolve());
  connection.close();
  return over.promise;
}
