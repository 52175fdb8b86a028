import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { firstOf, whenLate } from "../../lib/first-of.ts";
import { describeError, hasErrorCode, MillraceError } from "../../model/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { metricTargets } from "./need.ts";
import {
  EXTERNAL_SCALER,
  type GetMetricSpecResponse,
  type GetMetricsRequest,
  type GetMetricsResponse,
  type IsActiveResponse,
  type ScaledObjectRef,
} from "./scaler-contract.ts";
import type { ScalerWatch } from "./scaler-watch.ts";
import { readTrigger, type Trigger } from "./trigger.ts";

export interface ScalerServerOptions {
  readonly watch: ScalerWatch;
  readonly clock: Clock;
  /** PEM; absent: connections are not encrypted. `ca`: who calls shows a certificate of it. */
  readonly tls?:
    | { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer | undefined }
    | undefined;
}

/** What a caller may send: a trigger's metadata. */
const REQUEST_BYTES_MAX = 64 * 1024;
/** Each scaled object has two. */
const STREAMS_MAX = 500;
const CALLS_AT_ONCE_MAX = 200;
/** A caller that is gone without a word is found out. */
const KEEPALIVE_MS = 30_000;
/** How long who asks at the very start waits for the first look. */
const FIRST_LOOK_MS = 5_000;
/** What has not changed is said again so often. */
const SAY_AGAIN_MS = 30_000;

type Call<Request, Response> = handleUnaryCall<Request, Response>;
type Stream<Response> = handleServerStreamingCall<ScaledObjectRef, Response>;

/** KEDA's external scaler: answers what the watch sees. */
export class ScalerServer {
  readonly #options: ScalerServerOptions;
  readonly #server = new Server({
    "grpc.max_receive_message_length": REQUEST_BYTES_MAX,
    "grpc.max_concurrent_streams": CALLS_AT_ONCE_MAX,
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_MS,
  });
  readonly #streams = new Set<() => void>();

  constructor(options: ScalerServerOptions) {
    this.#options = options;
    const isActive: Call<ScaledObjectRef, IsActiveResponse> = ({ request }, answer) =>
      reply(answer, async () => ({
        result: (await this.#answer(readTrigger(request.scalerMetadata))).isActive,
      }));
    const getMetricSpec: Call<ScaledObjectRef, GetMetricSpecResponse> = ({ request }, answer) =>
      reply(answer, async () => specsOf(readTrigger(request.scalerMetadata)));
    const getMetrics: Call<GetMetricsRequest, GetMetricsResponse> = ({ request }, answer) =>
      reply(answer, () => this.#metrics(request));
    const streamIsActive: Stream<IsActiveResponse> = (call) => this.#streamActive(call);
    const streamMetricSpec: Stream<GetMetricSpecResponse> = (call) => this.#streamSpecs(call);
    this.#server.addService(EXTERNAL_SCALER, {
      IsActive: isActive,
      StreamIsActive: streamIsActive,
      GetMetricSpec: getMetricSpec,
      StreamMetricSpec: streamMetricSpec,
      GetMetrics: getMetrics,
    });
  }

  /** Resolves to the port. @throws MillraceError ERR_MILLRACE_CONFIG when the address cannot be used */
  async listen(address: string): Promise<number> {
    const { tls } = this.#options;
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(
            tls.ca ?? null,
            [{ cert_chain: tls.cert, private_key: tls.key }],
            tls.ca !== undefined,
          );
    return await new Promise((resolve, reject) => {
      this.#server.bindAsync(address, credentials, (error, port) => {
        if (error === null) resolve(port);
        else reject(cannotListen(address, error));
      });
    });
  }

  /** Streams end; calls that are under way are answered. */
  async close(): Promise<void> {
    for (const end of [...this.#streams]) end();
    const ended = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    const isLate = await firstOf(ended, whenLate(this.#options.clock, 1_000, "late" as const));
    if (isLate === "late") this.#server.forceShutdown();
  }

  async #answer(trigger: Trigger) {
    const { watch, clock } = this.#options;
    if (!watch.isReady) {
      const looked = new Promise<void>((resolve) => {
        const end = watch.onLook(() => {
          end();
          resolve();
        });
      });
      await firstOf(looked, whenLate(clock, FIRST_LOOK_MS, undefined));
    }
    return watch.answer(trigger);
  }

  async #metrics({ scaledObjectRef, metricName }: GetMetricsRequest): Promise<GetMetricsResponse> {
    const trigger = readTrigger(scaledObjectRef?.scalerMetadata ?? {});
    const known = metricTargets(trigger).map(({ name }) => `millrace-${name}`);
    if (!known.includes(metricName)) throw noMetric(metricName, known);
    const { metrics } = await this.#answer(trigger);
    const found = metrics.find(({ name }) => `millrace-${name}` === metricName);
    if (found === undefined) throw unread();
    const { value } = found;
    return { metricValues: [{ metricName, metricValue: Math.ceil(value), metricValueFloat: value }] };
  }

  #streamActive(call: ServerWritableStream<ScaledObjectRef, IsActiveResponse>): void {
    const trigger = this.#opened(call);
    if (trigger === undefined) return;
    const { watch, clock } = this.#options;
    let said: boolean | undefined;
    let saidMs = Number.NEGATIVE_INFINITY;
    const say = () => {
      if (!watch.isReady) return;
      const { isActive } = watch.answer(trigger);
      const nowMs = clock.monotonic();
      if (isActive === said && nowMs - saidMs < SAY_AGAIN_MS) return;
      // Who reads too slowly gets what is so by then.
      if (call.writableNeedDrain) return;
      said = isActive;
      saidMs = nowMs;
      call.write({ result: isActive });
    };
    const end = watch.onLook(say);
    this.#keep(call, end);
    say();
  }

  /** They change with the trigger's metadata alone, and with that KEDA opens another stream. */
  #streamSpecs(call: ServerWritableStream<ScaledObjectRef, GetMetricSpecResponse>): void {
    const trigger = this.#opened(call);
    if (trigger === undefined) return;
    this.#keep(call, () => undefined);
    call.write(specsOf(trigger));
  }

  #opened(call: ServerWritableStream<ScaledObjectRef, unknown>): Trigger | undefined {
    try {
      const trigger = readTrigger(call.request.scalerMetadata);
      if (this.#streams.size < STREAMS_MAX) return trigger;
      call.emit("error", TOO_MANY_STREAMS);
    } catch (error) {
      call.emit("error", serviceError(error));
    }
    return undefined;
  }

  #keep(
    call: ServerWritableStream<ScaledObjectRef, never> | ServerWritableStream<ScaledObjectRef, object>,
    end: () => void,
  ): void {
    const stop = () => {
      this.#streams.delete(stop);
      end();
      call.end();
    };
    this.#streams.add(stop);
    call.on("cancelled", stop);
    call.on("error", stop);
  }
}

function specsOf(trigger: Trigger): GetMetricSpecResponse {
  return {
    metricSpecs: metricTargets(trigger).map(({ name, target }) => {
      return { metricName: `millrace-${name}`, targetSize: target, targetSizeFloat: target };
    }),
  };
}

function reply<Response>(
  answer: (error: ServiceError | null, response?: Response) => void,
  work: () => Promise<Response>,
): void {
  work().then(
    (response) => answer(null, response),
    (error: unknown) => answer(serviceError(error)),
  );
}

function serviceError(error: unknown): ServiceError {
  const code = hasErrorCode(error, "ERR_MILLRACE_CONFIG") ? status.INVALID_ARGUMENT : status.UNAVAILABLE;
  const details = describeError(error);
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}

function noMetric(name: string, known: readonly string[]): MillraceError {
  const shown = JSON.stringify(name.slice(0, 80));
  const message = `The trigger has no metric ${shown}. It has ${known.join(" and ")}.`;
  return new MillraceError("ERR_MILLRACE_CONFIG", message);
}

/** Not 0: an autoscaler would go by it. */
function unread(): MillraceError {
  const message = "The store could not be read yet: nobody knows what there is to do.";
  return new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", message);
}

const TOO_MANY_STREAMS = {
  code: status.RESOURCE_EXHAUSTED,
  details: `There are ${STREAMS_MAX} streams, which is the most.`,
};

function cannotListen(address: string, error: Error): MillraceError {
  const message = `The scaler cannot be served at ${address}: ${error.message}. Give another address by --listen.`;
  return new MillraceError("ERR_MILLRACE_CONFIG", message);
}
