/** The `source` label of metrics. */
export const KIND = "kafka";
