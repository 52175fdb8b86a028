/**
 * Limits of the event source mapping contract, in the units that their names end in.
 * The source of a value is the section of the behaviour contract named beside it.
 */

/** Largest request payload of a synchronous invocation, encoded event included (streams §3.2). */
export const PAYLOAD_BYTES_MAX = 6 * 1024 * 1024;

/** Largest response that a function may return; one that is larger is a function error. */
export const RESPONSE_BYTES_MAX = 6 * 1024 * 1024 + 100;

/** A response that is streamed ends here, whatever the function still writes (invocation §3.3). */
export const STREAMED_RESPONSE_BYTES_MAX = 200 * 1024 * 1024;

/** So much of it goes as fast as it can, and the rest at this pace (invocation §3.3). */
export const STREAM_BURST_BYTES = 6 * 1024 * 1024;
export const STREAM_BYTES_PER_SECOND = 2 * 1024 * 1024;

/** Largest tumbling-window state; a larger one ends its window early (streams §6.1). */
export const WINDOW_STATE_BYTES_MAX = 1024 * 1024;

export const BATCH_SIZE_MAX = 10_000;
export const STREAM_BATCH_SIZE_DEFAULT = 100;
export const QUEUE_BATCH_SIZE_DEFAULT = 10;
/** The largest batch of a FIFO queue, and of any queue without a batching window (queues §2.1). */
export const PLAIN_QUEUE_BATCH_SIZE_MAX = 10;
/** `scalingConfig.maximumConcurrency` (queues §2.4). */
export const QUEUE_CONCURRENCY_MIN = 2;
export const QUEUE_CONCURRENCY_MAX = 1_000;
/** `provisionedPollerConfig` (queues §2.4); some sources begin at 1, and end lower (kafka §7). */
export const POLLERS_MIN = 1;
export const QUEUE_POLLERS_MIN = 2;
export const MINIMUM_POLLERS_MAX = 200;
export const MINIMUM_POLLERS_DEFAULT = 2;
export const MAXIMUM_POLLERS_MAX = 10_000;
export const MAXIMUM_POLLERS_DEFAULT = 200;
export const BATCHING_WINDOW_SECONDS_MAX = 300;
export const PARALLELIZATION_FACTOR_MAX = 10;
export const TUMBLING_WINDOW_SECONDS_MAX = 900;
export const RETRY_ATTEMPTS_MAX = 10_000;
export const DESTINATION_CHARS_MAX = 350;
export const RECORD_AGE_SECONDS_MIN = 60;
export const RECORD_AGE_SECONDS_MAX = 604_800;

/** Filters of one mapping: five on AWS, ten after a quota raise (filters §1). */
export const FILTERS_MAX = 10;
export const FILTER_PATTERN_CHARS_MAX = 4096;

/** `inputTemplate` of a mapping (queues §3). */
export const INPUT_TEMPLATE_CHARS_MAX = 8192;

/** A row of the control plane: an API body of 64 KiB with its defaults filled in fits well. */
export const RESOURCE_DOCUMENT_CHARS_MAX = 256 * 1024;

/** Mappings of one store that were made through the API. */
export const MAPPINGS_MAX = 1000;

/** Largest payload of an asynchronous invocation (invocation §9), and of `InvokeAsync`, which is older. */
export const ASYNC_PAYLOAD_BYTES_MAX = 1024 * 1024;
export const INVOKE_ASYNC_BYTES_MAX = 256 * 1024;
/** Asynchronous events of one function that may wait, and bytes of all together. */
export const ASYNC_ITEMS_MAX = 100_000;
export const ASYNC_BYTES_MAX = 1024 * 1024 * 1024;

/** Tenants of fair lanes, whose names are kept in memory: what is longer is cut. */
export const TENANT_CHARS_MAX = 256;
export const TENANT_WEIGHT_MAX = 100;
/** Tenants with a weight of their own. */
export const TENANT_WEIGHTS_MAX = 100;
