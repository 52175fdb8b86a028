/** `kafka://TOPIC`: a topic of the cluster that the mapping reads, as its failure destination (kafka §5). */
export const TOPIC_FORM = "kafka://TOPIC";

/** `undefined`: the text names no topic. */
export function destinationTopic(text: string): string | undefined {
  return /^kafka:\/\/([a-zA-Z0-9_-][a-zA-Z0-9._-]{0,248})$/.exec(text)?.[1];
}
