import { z } from "zod";
import { API_VERSION } from "../manifests/schema.ts";
import { RECORD_BYTES_MAX, RECORD_BYTES_MIN } from "./payload.ts";

/** The shape of load-test scenarios. Rules between fields stand in `scenario-checks.ts`. */

const SECONDS_MAX = 7 * 86_400;
const RATE_MAX = 1_000_000;

const wholeNumber = (min: number, max: number) => z.int().min(min).max(max);
const decimal = (min: number, max: number) => z.number().min(min).max(max);
const percent = (description: string) =>
  decimal(0, 100).default(0).describe(`${description}, in percent of all invocations: 0 to 100.`);

const source = z
  .strictObject({
    kind: z
      .enum(["stream", "queue", "fifo"])
      .default("stream")
      .describe("What to make in a local file: a stream, a queue, or a FIFO queue."),
    shards: wholeNumber(1, 1000).default(4).describe("Shards of the stream."),
    retentionSeconds: wholeNumber(60, SECONDS_MAX)
      .default(600)
      .describe("How long a record is kept, in seconds. What lags longer than this is lost, and counted."),
    visibilitySeconds: wholeNumber(1, 43_200)
      .default(30)
      .describe("How long a message of the queue is hidden from the moment it is received, in seconds."),
  })
  .prefault({})
  .describe("The local source that is made for the test, unless mapping names another.");

const phase = z
  .strictObject({
    seconds: decimal(0.1, SECONDS_MAX).describe("How long the phase takes, in seconds."),
    perSecond: decimal(0, RATE_MAX).describe("Records a second, at the beginning of the phase."),
    toPerSecond: decimal(0, RATE_MAX)
      .optional()
      .describe(
        "Records a second at the end of the phase; in between the rate goes straight. Default: as at the beginning.",
      ),
    burst: z
      .strictObject({
        records: wholeNumber(1, 1_000_000).describe("Records that are due at the same moment."),
        everySeconds: decimal(0.1, SECONDS_MAX).describe(
          "From one burst to the next, in seconds; the first is at once.",
        ),
      })
      .optional()
      .describe("Records on top of the rate, many at once."),
  })
  .describe("A part of the rate's course.");

const latency = z
  .strictObject({
    shape: z
      .enum(["constant", "uniform", "exponential", "lognormal"])
      .default("constant")
      .describe("Distribution."),
    ms: decimal(0, 900_000)
      .default(5)
      .describe(
        "Milliseconds: the constant, the least of uniform, the mean of exponential, the median of lognormal.",
      ),
    msMax: decimal(0, 900_000)
      .default(1_000)
      .describe("Milliseconds: the most of uniform, and where the long tails are cut off."),
    sigma: decimal(0, 5).default(0.5).describe("Of lognormal: deviation of the logarithm, 0 to 5."),
    per: z
      .enum(["invocation", "key"])
      .default("invocation")
      .describe(
        "invocation: drawn for each anew. key: a slow key stays slow; an event takes as long as its slowest.",
      ),
  })
  .prefault({})
  .describe("How long the function takes.");

const errors = z
  .strictObject({
    throwPercent: percent("Invocations that fail"),
    partialPercent: percent("Invocations that name one of their records as failed"),
    throttlePercent: percent("Invocations that are refused with 429"),
    timeoutPercent: percent("Invocations that never answer"),
  })
  .prefault({})
  .describe("How often the function goes wrong.");

const fn = z
  .strictObject({
    kind: z
      .enum(["http", "module"])
      .default("http")
      .describe(
        "http: the engine posts events to the harness. module: a handler in the engine's process passes them on.",
      ),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        "Your own function, called by HTTP as millrace calls one: the harness stands before it, passes on what it gets and what is answered, and judges by that. It needs no latency and errors: it has its own.",
      ),
    listen: z
      .string()
      .regex(/^(?:[\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}$/)
      .optional()
      .describe(
        "HOST:PORT where the harness takes events. Default: a free port of this machine. Needed without an engine: what calls the function has to know it.",
      ),
    timeoutSeconds: wholeNumber(1, 900).default(10).describe("How long one invocation may take, in seconds."),
    concurrency: wholeNumber(1, 10_000).default(100).describe("Invocations that run at once."),
    latency,
    errors,
  })
  .prefault({})
  .describe("The function: the test's own, or yours.");

const fault = z
  .strictObject({
    atSeconds: decimal(0, SECONDS_MAX).describe("When it begins, in seconds since the first record was due."),
    kind: z
      .enum(["crash", "pause", "throttle", "stall", "errors"])
      .describe(
        "crash: the engine is killed, and started again afterwards. pause: its process stands still. throttle, stall, errors: the function refuses, keeps silent, or fails.",
      ),
    seconds: decimal(0, 3600).default(1).describe("How long it lasts, in seconds."),
  })
  .describe("Something that goes wrong on purpose.");

const thresholds = z
  .strictObject({
    p50MsMax: decimal(0, 3_600_000)
      .optional()
      .describe("Median of the time from due to invoked, in milliseconds."),
    p99MsMax: decimal(0, 3_600_000).optional().describe("99th percentile of that time, in milliseconds."),
    deliveredPerSecondMin: decimal(0, RATE_MAX)
      .optional()
      .describe("Records a second that reached the function, from the first record to the last."),
    heapMibPerHourMax: decimal(0, 100_000)
      .optional()
      .describe(
        "Growth of the engine's heap after garbage collection, in MiB an hour. Missed only when the growth is larger beyond its noise.",
      ),
    rssMibPerHourMax: decimal(0, 100_000)
      .optional()
      .describe("The same for the resident memory of the engine's process."),
  })
  .prefault({})
  .describe(
    "What the test must hold, besides what always must: nothing lost, order per key, no duplicates beyond their bound.",
  );

const memory = z
  .strictObject({
    sampleSeconds: decimal(0.1, 3600)
      .default(1)
      .describe("From one look at memory and CPU to the next, in seconds."),
    collectSeconds: decimal(0.1, 3600)
      .default(10)
      .describe(
        "From one forced garbage collection to the next, in seconds. It stops the engine for some milliseconds.",
      ),
    warmupSeconds: decimal(0, SECONDS_MAX)
      .optional()
      .describe(
        "Beginning of the test that growth is not judged by, in seconds. Default: a fifth of the test.",
      ),
  })
  .prefault({})
  .describe("How the engine's memory is watched.");

const engineSettings = z.strictObject({
  checkpointIntervalMs: wholeNumber(0, 60_000)
    .default(1000)
    .describe("Shortest time between two checkpoints of a shard, in milliseconds."),
  checkpointLateMs: wholeNumber(0, 100_000)
    .default(2000)
    .describe(
      "What a checkpoint may take beyond its interval, in milliseconds: what was settled since then may come again after a crash. Raise it on a busy machine.",
    ),
  store: z
    .string()
    .min(1)
    .max(2000)
    .optional()
    .describe("As --store of millrace run. Default: an SQLite file of the test's own."),
});

const engine = z
  .union([z.literal("none"), engineSettings])
  .prefault({})
  .describe(
    "Settings of the engine's process. none: no engine is started. Records go in at the source that mapping names, something else calls the function, and the verdict is taken there.",
  );

const spec = z
  .strictObject({
    seed: wholeNumber(0, 4_294_967_295).default(1).describe("All chance of the test comes from it."),
    source,
    mapping: z
      .record(z.string(), z.unknown())
      .default({})
      .describe(
        "Parameters of the EventSourceMapping, as in a manifest, without functionName. With eventSourceArn or selfManagedEventSource a source is used that exists; nothing else may write to it or read from it. What a stream holds already is left alone; what a queue holds already is taken out of it, and gone.",
      ),
    rate: z.array(phase).min(1).max(1000).describe("The rate's course: phases, one after the other."),
    keys: z
      .strictObject({
        count: wholeNumber(1, 1_000_000).default(1000).describe("How many keys there are."),
        skew: decimal(0, 5)
          .default(0)
          .describe(
            "0: all alike. Else Zipf's exponent: 1 gives the first of 1,000 keys an eighth of all records.",
          ),
      })
      .prefault({})
      .describe("Keys of records, or message groups."),
    record: z
      .strictObject({
        bytes: wholeNumber(RECORD_BYTES_MIN, RECORD_BYTES_MAX)
          .default(1024)
          .describe("Size of a record's data, in bytes."),
        bytesMax: wholeNumber(RECORD_BYTES_MIN, RECORD_BYTES_MAX)
          .optional()
          .describe("Makes sizes vary evenly from bytes to this. Default: all are the same."),
      })
      .prefault({})
      .describe("How large records are."),
    function: fn,
    faults: z.array(fault).max(1000).default([]).describe("What goes wrong on purpose, and when."),
    thresholds,
    memory,
    engine,
    ordered: z
      .boolean()
      .optional()
      .describe(
        "Whether order per key is judged. Default: whether the source keeps it. false for what promises none, such as a consumer with several workers.",
      ),
    drainSeconds: wholeNumber(1, 86_400)
      .default(60)
      .describe(
        "After the last record: how long nothing may arrive before what is missing counts as lost, in seconds.",
      ),
  })
  .describe("What the load test does.");

export const scenarioSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION).describe("Version of the scenario's form."),
    kind: z.literal("LoadTest").describe("What the document describes."),
    metadata: z
      .strictObject({
        name: z
          .string()
          .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?$/)
          .describe(
            "Name of the test: 1 to 64 letters, digits, - and _, with a letter or digit at both ends.",
          ),
      })
      .describe("Identity of the test."),
    spec,
  })
  .describe("A load test: `millrace load -f FILE`.");

export type Scenario = z.output<typeof scenarioSchema>;
export type ScenarioSpec = Scenario["spec"];
export type EngineSettings = z.output<typeof engineSettings>;
export type ScenarioFault = ScenarioSpec["faults"][number];
