/** Manifests of every kind and every form of function, for round trips: LOGIN is where the secret of a cluster is. */
export const ALL = `
apiVersion: millrace.dev/v1
kind: Function
metadata: { name: behind-http }
spec:
  http: { url: "http://127.0.0.1:9000/" }
  versions: { 2: { http: { url: "http://127.0.0.1:9002/" } }, 3: { http: { url: "http://127.0.0.1:9003/" }, timeoutSeconds: 3 } }
  aliases: { live: { version: 2, weights: { 3: 0.25 } } }
  errorDetails: type
  adaptiveConcurrency: true
---
apiVersion: millrace.dev/v1
kind: Function
metadata: { name: on-lambda }
spec: { lambda: { functionName: "orders:1", region: eu-west-1 }, reservedConcurrency: 7 }
---
apiVersion: millrace.dev/v1
kind: Function
metadata: { name: in-module }
spec: { module: { path: ./m.mts, environment: { A: "1" }, memoryMb: 256 } }
---
apiVersion: millrace.dev/v1
kind: Function
metadata: { name: by-command }
spec: { code: ./code, command: [java, -jar, app.jar], timeoutSeconds: 30 }
---
apiVersion: millrace.dev/v1
kind: Function
metadata: { name: with_code-1 }
spec:
  runtime: python3.13
  handler: app.handler
  code: ./code
  layers: [./layer]
  environment: { A: "012", B: "true", C: "" }
  inheritEnvironment: [TOKEN, OTHER_TOKEN]
  credentials: env:SHOP_
  memoryMb: 300
  ephemeralStorageMb: 1024
  timeoutSeconds: 40
  reservedConcurrency: 0
  recursiveLoop: Allow
  deadLetterConfig: { targetArn: "arn:aws:sqs:eu-west-1:123456789012:dead" }
  eventInvokeConfig: { maximumRetryAttempts: 1, maximumEventAgeSeconds: 90 }
  aliases: { live: { version: $LATEST, eventInvokeConfig: { maximumRetryAttempts: 0 } }, also: { version: $LATEST } }
---
apiVersion: millrace.dev/v1
kind: Function
metadata: { name: published }
spec:
  runtime: nodejs24.x
  handler: index.handler
  code: ./code
  aliases:
    live:
      publish: true
      rollout:
        type: { kind: canary, percent: 5, minutes: 20 }
        alarms: { errorRate: 0.05 }
        hooks: { before: with_code-1, after: "published:live" }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: of-http }
spec: { functionName: "behind-http:live", eventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:q" }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: stream-1 }
spec:
  functionName: "with_code-1:live"
  eventSourceArn: arn:aws:kinesis:eu-west-1:123456789012:stream/orders
  startingPosition: AT_TIMESTAMP
  startingPositionTimestamp: 1767225600
  batchSize: 20
  maximumRetryAttempts: 3
  enabled: false
  tags: { team: shop }
  uuid: 0a6d2c1f-5b7e-4f0c-9d3e-8a1b2c3d4e5f
  destinationConfig: { onFailure: { destination: arn:aws:sqs:eu-west-1:123456789012:failed } }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: fifo }
spec:
  functionName: with_code-1
  eventSourceArn: arn:aws:sqs:eu-west-1:123456789012:orders.fifo
  functionResponseTypes: [ReportBatchItemFailures]
  strictAwsFifo: false
  filterCriteria: { filters: [{ pattern: '{"body":{"a":[1]}}' }] }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: cluster }
spec:
  functionName: with_code-1
  selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["k:9092"] } }
  topics: [orders]
  sourceAccessConfigurations: [{ type: BASIC_AUTH, uri: "file:LOGIN" }]
  selfManagedKafkaEventSourceConfig: { consumerGroupId: g }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: kept-here }
spec:
  functionName: with_code-1
  eventSourceArn: arn:aws:local:eu-west-1:123456789012:stream/orders
  startingPosition: LATEST
  endpoints: { LOCAL_FILE: [orders.db] }
  destinationConfig: { onFailure: { destination: "file:failed.jsonl" } }
---
apiVersion: millrace.dev/v1
kind: Rule
metadata: { name: paid-orders }
spec:
  eventBusName: shop
  eventPattern: { source: [shop], detail: { state: [paid] } }
  state: DISABLED
  description: Orders that are paid
  targets:
    - id: first
      arn: with_code-1:live
      roleArn: arn:aws:iam::123456789012:role/caller
      inputTransformer: { inputPathsMap: { id: $.detail.id }, inputTemplate: '{"id": <id>}' }
      retryPolicy: { maximumRetryAttempts: 1, maximumEventAgeInSeconds: 90 }
    - { id: second, arn: published, input: '{"a":1}', deadLetterConfig: { arn: "arn:aws:sqs:eu-west-1:123456789012:dead" } }
    - { id: third, arn: behind-http }
---
apiVersion: millrace.dev/v1
kind: Rule
metadata: { name: hourly }
spec: { scheduleExpression: rate(1 hour), targets: [{ id: only, arn: published, inputPath: $.time }] }
---
apiVersion: millrace.dev/v1
kind: Rule
metadata: { name: nobody }
spec: { scheduleExpression: rate(1 day) }
---
apiVersion: millrace.dev/v1
kind: Rule
metadata: { name: of-http-alone }
spec: { scheduleExpression: rate(1 day), targets: [{ id: only, arn: behind-http }] }
---
apiVersion: millrace.dev/v1
kind: Schedule
metadata: { name: nightly }
spec:
  scheduleExpression: cron(0 3 * * ? *)
  scheduleExpressionTimezone: Europe/Berlin
  startDate: "2026-02-01T00:00:00Z"
  endDate: "2027-02-01T00:00:00Z"
  flexibleTimeWindow: { mode: FLEXIBLE, maximumWindowInMinutes: 15 }
  groupName: reports
  description: Reports of the night
  state: DISABLED
  target:
    arn: published:live
    roleArn: arn:aws:iam::123456789012:role/caller
    input: '{"at":"<aws.scheduler.scheduled-time>"}'
    retryPolicy: { maximumRetryAttempts: 1 }
    deadLetterConfig: { arn: "arn:aws:sqs:eu-west-1:123456789012:dead" }
---
apiVersion: millrace.dev/v1
kind: Schedule
metadata: { name: plain }
spec: { scheduleExpression: rate(5 minutes), target: { arn: with_code-1 } }
---
apiVersion: millrace.dev/v1
kind: Schedule
metadata: { name: schedule-of-http }
spec: { scheduleExpression: rate(5 minutes), target: { arn: behind-http } }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: pet }
spec: { functionName: "with_code-1:live", shape: http2, path: "/pets/{id}", methods: [GET], authType: AWS_IAM }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: withcode1Rest }
spec:
  functionName: with_code-1:live
  shape: rest
  path: /orders
  stage: test
  stageVariables: { color: blue }
  binaryMediaTypes: [image/png]
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: plain-rest }
spec: { functionName: "with_code-1:live", shape: rest, path: "/files/{proxy+}", stage: Prod, methods: [PUT] }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: catch-all }
spec: { functionName: "published:live", shape: http2, path: $default }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: older }
spec: { functionName: "published:live", shape: http1, path: /old, stage: v1, stageVariables: { a: b } }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: url-of-code }
spec: { functionName: "with_code-1:also", authType: AWS_IAM, invokeMode: RESPONSE_STREAM, cors: { allowOrigins: ["*"] } }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: balanced }
spec: { functionName: "with_code-1:live", shape: alb, path: /balanced }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: of-two-methods }
spec: { functionName: "with_code-1:live", shape: http2, path: /two, methods: [GET, PUT] }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: of-latest }
spec: { functionName: published, shape: http2, path: /latest }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: hosted }
spec: { functionName: "with_code-1:live", shape: http2, path: /hosted, host: shop.example.com }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: stageless }
spec: { functionName: "with_code-1:live", shape: rest, path: /stageless }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: route-of-http }
spec: { functionName: behind-http, shape: http2, path: /http }
`;
