import type { BrokerChannel } from "../../src/brokers/broker-client.ts";
import type { BacklogSight, SourceBacklog } from "../../src/ports/source-backlog.ts";
import type { AmqpApi } from "./amqp-api.ts";

/** Messages that the broker has sent to nobody, by a channel that consumes nothing. */
export class RabbitBacklog implements SourceBacklog {
  readonly #queue: string;
  readonly #api: AmqpApi;
  #channel: Promise<BrokerChannel> | undefined;

  constructor(queue: string, api: AmqpApi) {
    this.#queue = queue;
    this.#api = api;
  }

  async look(): Promise<BacklogSight> {
    try {
      this.#channel ??= this.#open();
      const elements = await (await this.#channel).ready(this.#queue);
      return { elements, parts: Math.min(1, elements) };
    } catch (error) {
      this.#channel = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#api.close();
  }

  async #open(): Promise<BrokerChannel> {
    const onEnd = () => {
      this.#channel = undefined;
    };
    return await this.#api.open({ onDelivery: () => undefined, onEnd });
  }
}
