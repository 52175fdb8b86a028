/** `kafka://TOPIC`: a topic of the cluster that the mapping reads, as its failure destination (kafka §5). */
export const TOPIC_FORM = "kafka://TOPIC";

export const TOPIC_NAME = /^[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,248}$/;

/** `undefined`: the text names no topic. */
export function destinationTopic(text: string): string | undefined {
  const name = /^kafka:\/\/(.*)$/s.exec(text)?.[1];
  return name !== undefined && TOPIC_NAME.test(name) ? name : undefined;
}
