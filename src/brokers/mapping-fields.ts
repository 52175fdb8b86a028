import type { FieldSchema } from "../model/field-schema.ts";

/** Fields that mappings of several brokers have: one schema, whoever asks for them. */
export const QUEUES_FIELD: FieldSchema = {
  type: "array",
  items: { type: "string", minLength: 1, maxLength: 1000 },
  minItems: 1,
  maxItems: 1,
  description: "Brokers' queues only, and required there. The queue to read, exactly one.",
};

export const DELIVERY_LIMIT_FIELD: FieldSchema = {
  type: "integer",
  minimum: 1,
  maximum: 10_000,
  description:
    "Brokers' queues only, and not AWS's. Deliveries of a message that may fail before it is rejected: it goes where the broker puts dead letters, or is gone. What the broker counts came before: RabbitMQ's quorum queues in x-delivery-count, ActiveMQ as redeliveries. Default of ActiveMQ 7, as its own policy has it; of RabbitMQ none: a message is tried again until its function succeeds or it expires.",
};
