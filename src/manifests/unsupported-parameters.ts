/**
 * AWS's parameters of event source mappings that no source here has (streams §1.3), with what is said of them: a
 * person who copies a template must learn that the field has no effect here, not that it is misspelt.
 */
export const AWS_PARAMETERS_UNSUPPORTED: ReadonlyMap<string, string> = new Map(
  ["kmsKeyArn", "loggingConfig", "metricsConfig"].map(
    (name) => [name, `AWS's parameter ${name} does not apply to the event sources of this version`] as const,
  ),
);

/** Parameters of streams only: AWS's word where a queue's mapping has one of them. */
export const STREAM_PARAMETERS = [
  "startingPosition",
  "startingPositionTimestamp",
  "parallelizationFactor",
  "maximumRetryAttempts",
  "maximumRecordAgeInSeconds",
  "bisectBatchOnFunctionError",
  "tumblingWindowInSeconds",
  "destinationConfig",
] as const;

/** Parameters of queues only. */
export const QUEUE_PARAMETERS = [
  "scalingConfig",
  "provisionedPollerConfig",
  "tenant",
  "strictAwsFifo",
] as const;

/** AWS's text (streams §1.6). */
export function unsupportedParameter(name: string): string {
  const awsName = name.slice(0, 1).toUpperCase() + name.slice(1);
  return `Unsupported ${awsName} parameter for given event source mapping type.`;
}
