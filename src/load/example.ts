/** What `millrace load --example` prints: a scenario that runs anywhere, with every part that one is likely to want. */
export const EXAMPLE = `# A load test: millrace load -f THIS_FILE
# It needs nothing but this file: it makes a stream in a local file, runs the engine over it as a process of its own, and is
# the function itself. All fields: docs/settings.md, or millrace load --schema.
apiVersion: millrace.dev/v1
kind: LoadTest
metadata: { name: example }
spec:
  seed: 1 # all chance comes from it
  source: { kind: stream, shards: 4 } # or queue, fifo; an existing source is named in mapping
  mapping: # as in a manifest, without functionName
    batchSize: 50
    parallelizationFactor: 4
    # eventSourceArn: arn:aws:SERVICE:eu-west-1:123456789012:stream/load-test
  rate: # phases, one after the other; records are sent when they are due, whatever the engine does
    - { seconds: 5, perSecond: 100, toPerSecond: 500 }
    - { seconds: 10, perSecond: 500, burst: { records: 1000, everySeconds: 5 } }
    - { seconds: 5, perSecond: 200 }
  keys: { count: 1000, skew: 0.8 } # a few keys get many records
  record: { bytes: 200, bytesMax: 2000 }
  function:
    concurrency: 50
    timeoutSeconds: 5
    latency: { shape: lognormal, ms: 5, sigma: 0.5 }
    errors: { throwPercent: 0.5, partialPercent: 0.5 }
  faults:
    - { atSeconds: 6, kind: throttle, seconds: 1 }
    - { atSeconds: 11, kind: crash, seconds: 1 } # the engine is killed and started again
  thresholds: { deliveredPerSecondMin: 100 } # and always: nothing lost, in order, duplicates within their bound
`;
