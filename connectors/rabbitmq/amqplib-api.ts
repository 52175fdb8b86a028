import { type Channel, type ChannelModel, connect, credentials } from "amqplib";
import type { BrokerAccess } from "../../src/brokers/broker-access.ts";
import type { BrokerChannel, BrokerEvents } from "../../src/brokers/broker-client.ts";
import { BrokerFault } from "../../src/brokers/broker-fault.ts";
import { inTime } from "../../src/brokers/in-time.ts";
import type { AmqpApi, AmqpDelivery } from "./amqp-api.ts";
import { brokerFault, cancelFault } from "./broker-fault.ts";

export interface AmqplibOptions {
  readonly endpoints: readonly string[];
  readonly virtualHost: string;
  readonly access: BrokerAccess;
  /** The queue and its broker, in messages. */
  readonly place: string;
}

const CONNECT_MS_MAX = 10_000;
/** Two of them without a word from the broker end the connection. */
const HEARTBEAT_SECONDS = 20;

/** RabbitMQ by amqplib: one connection, made anew when it is lost and somebody asks. */
export function createAmqplibApi(options: AmqplibOptions): AmqpApi {
  let connection: Promise<ChannelModel> | undefined;
  let isClosed = false;
  const channels = new Set<BrokerChannel>();
  const connected = (): Promise<ChannelModel> => {
    if (connection !== undefined) return connection;
    const opening = connectAny(options);
    const forget = () => {
      if (connection === opening) connection = undefined;
    };
    opening.then((model) => model.on("close", forget), forget);
    connection = opening;
    return opening;
  };
  return {
    async open(events) {
      if (isClosed) throw new BrokerFault("ERR_MILLRACE_SOURCE_UNAVAILABLE", "The connection was closed.");
      try {
        const model = await connected();
        const { onEnd } = events;
        const channel: BrokerChannel = await openChannel(
          model,
          {
            ...events,
            onEnd: (error) => {
              channels.delete(channel);
              onEnd(error);
            },
          },
          options.place,
        );
        channels.add(channel);
        return channel;
      } catch (error) {
        throw brokerFault(error, options.place);
      }
    },
    async close() {
      isClosed = true;
      const open = connection;
      connection = undefined;
      // Each first: what is written on a channel may be overtaken by the end of the connection.
      await Promise.all([...channels].map((channel) => channel.close()));
      await open?.then((model) => inTime(model.close())).catch(() => undefined);
    },
  };
}

/** The nodes of the cluster in turn, from a different one each time. */
export async function connectAny({
  endpoints,
  virtualHost,
  access,
  place,
}: AmqplibOptions): Promise<ChannelModel> {
  let failure: unknown = new Error("no endpoint is given");
  const first = turn++;
  for (let index = 0; index < endpoints.length; index++) {
    const endpoint = endpoints[(first + index) % endpoints.length] ?? "";
    try {
      return await connectOne(new URL(endpoint), virtualHost, access);
    } catch (error) {
      failure = brokerFault(error, place);
    }
  }
  throw failure;
}

let turn = 0;

async function connectOne(url: URL, virtualHost: string, access: BrokerAccess): Promise<ChannelModel> {
  const isTls = url.protocol === "amqps:";
  const { login, tls } = access;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const model = await connect(
    {
      protocol: isTls ? "amqps" : "amqp",
      hostname: host,
      port: Number(url.port || (isTls ? 5671 : 5672)),
      vhost: encodeURIComponent(virtualHost),
      heartbeat: HEARTBEAT_SECONDS,
    },
    {
      timeout: CONNECT_MS_MAX,
      noDelay: true,
      keepAlive: true,
      credentials:
        login === undefined
          ? credentials.external()
          : credentials.plain(login.username, login.password.reveal()),
      clientProperties: { connection_name: "millrace" },
      ...(isTls ? tls : {}),
    },
  );
  // Told by "close", which every one has; without a listener an "error" would end the process.
  model.on("error", () => undefined);
  return model;
}

async function openChannel(
  model: ChannelModel,
  events: BrokerEvents<AmqpDelivery>,
  place: string,
): Promise<BrokerChannel> {
  const channel = await inTime(model.createChannel());
  let reason: unknown;
  let isOver = false;
  const end = (error: unknown) => {
    if (isOver) return;
    isOver = true;
    model.off("error", note);
    events.onEnd(brokerFault(error ?? new Error("the connection was closed"), place));
  };
  const note = (error: Error) => {
    reason ??= error;
  };
  channel.on("error", note);
  model.on("error", note);
  channel.on("close", () => end(reason));
  return new OpenChannel(channel, events, place, end, () => isOver);
}

class OpenChannel implements BrokerChannel {
  readonly #channel: Channel;
  readonly #events: BrokerEvents<AmqpDelivery>;
  readonly #place: string;
  readonly #end: (error: unknown) => void;
  readonly #isOver: () => boolean;
  #consumerTag: string | undefined;

  constructor(
    channel: Channel,
    events: BrokerEvents<AmqpDelivery>,
    place: string,
    end: (error: unknown) => void,
    isOver: () => boolean,
  ) {
    this.#channel = channel;
    this.#events = events;
    this.#place = place;
    this.#end = end;
    this.#isOver = isOver;
  }

  async consume(
    queue: string,
    { prefetch, isExclusive }: { readonly prefetch: number; readonly isExclusive: boolean },
  ): Promise<void> {
    const before = this.#consumerTag;
    this.#consumerTag = undefined;
    await this.#asked(async () => {
      if (before !== undefined) await this.#channel.cancel(before);
      await this.#channel.prefetch(prefetch);
      const { consumerTag } = await this.#channel.consume(
        queue,
        (message) => {
          if (message === null) {
            this.#end(cancelFault(this.#place));
            void this.close();
            return;
          }
          const { fields, properties, content } = message;
          const { deliveryTag, redelivered } = fields;
          this.#events.onDelivery({ deliveryTag, redelivered, properties, content });
        },
        { exclusive: isExclusive },
      );
      this.#consumerTag = consumerTag;
    });
  }

  async cancel(): Promise<void> {
    const tag = this.#consumerTag;
    this.#consumerTag = undefined;
    if (tag !== undefined) await this.#asked(() => this.#channel.cancel(tag));
  }

  async ready(queue: string): Promise<number> {
    const { messageCount } = await this.#asked(() => this.#channel.checkQueue(queue));
    return messageCount;
  }

  ack(deliveryTag: number, isMultiple: boolean): void {
    this.#write(() => this.#channel.ack(delivered(deliveryTag), isMultiple));
  }

  requeue(deliveryTag: number): void {
    this.#write(() => this.#channel.nack(delivered(deliveryTag), false, true));
  }

  reject(deliveryTag: number): void {
    this.#write(() => this.#channel.nack(delivered(deliveryTag), false, false));
  }

  async close(): Promise<void> {
    // Rejects, or throws, on a channel that the broker has closed.
    await inTime((async () => await this.#channel.close())()).catch(() => undefined);
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await inTime(ask());
    } catch (error) {
      throw brokerFault(error, this.#place);
    }
  }

  /** On a channel that has ended the client throws; whoever waits is told by `onEnd`. */
  #write(write: () => void): void {
    if (this.#isOver()) return;
    try {
      write();
    } catch (error) {
      this.#end(error);
    }
  }
}

/** All that the client reads of a message that it acknowledges. */
function delivered(deliveryTag: number) {
  const fields = { deliveryTag, redelivered: false, exchange: "", routingKey: "" };
  return { fields, properties: NO_PROPERTIES, content: NO_CONTENT };
}

const NO_CONTENT = Buffer.alloc(0);
const NO_PROPERTIES: Parameters<Channel["ack"]>[0]["properties"] = {
  contentType: undefined,
  contentEncoding: undefined,
  headers: undefined,
  deliveryMode: undefined,
  priority: undefined,
  correlationId: undefined,
  replyTo: undefined,
  expiration: undefined,
  messageId: undefined,
  timestamp: undefined,
  type: undefined,
  userId: undefined,
  appId: undefined,
  clusterId: undefined,
};
