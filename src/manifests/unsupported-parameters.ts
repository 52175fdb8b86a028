/**
 * AWS's parameters of event source mappings that stream mappings do not have (streams §1.3), with what is said of
 * them: a person who copies a template must learn that the field has no effect here, not that it is misspelt.
 */
export const AWS_PARAMETERS_UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ["scalingConfig", "Unsupported ScalingConfig parameter for given event source mapping type."],
  ...[
    "amazonManagedKafkaEventSourceConfig",
    "documentDBEventSourceConfig",
    "kmsKeyArn",
    "loggingConfig",
    "metricsConfig",
    "provisionedPollerConfig",
    "queues",
    "selfManagedEventSource",
    "selfManagedKafkaEventSourceConfig",
    "sourceAccessConfigurations",
    "topics",
  ].map(
    (name) => [name, `AWS's parameter ${name} does not apply to the event sources of this version`] as const,
  ),
]);
