import type { FunctionResource } from "../../../src/manifests/resources.ts";
import { type AsyncPolicy, FUNCTION_LANE, newAttemptState } from "../../../src/model/async-item.ts";
import type { Envelope } from "../../../src/model/envelope.ts";
import type { InvokeConfig } from "../../../src/model/invoke-config.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { AsyncRoute } from "../../../src/ports/async-destinations.ts";
import type { AsyncQueue } from "../../../src/ports/async-queue.ts";
import { createMemoryAsyncQueue } from "../../../src/stores/memory-async-queue.ts";
import { SeededRandom } from "../random.ts";
import { VirtualTime } from "../virtual-clock.ts";
import { type Call, EventProcess } from "./event-process.ts";

export interface Delivered {
  readonly uri: string;
  readonly envelope: Envelope;
  readonly atMs: number;
}

export const SUCCEEDED: InvocationOutcome = { kind: "succeeded", payload: Buffer.from('{"done":true}') };
export const FAILED: InvocationOutcome = {
  kind: "functionError",
  errorType: "Exception",
  message: "boom",
  detail: { stack: "one\ntwo", stackMember: "stackTrace", requestIdMember: "named" },
};

/** One process, its functions, and destinations that take everything: enough to say what becomes of one event. */
export class SmallEvents {
  readonly calls: (Call & { readonly atMs: number })[] = [];
  readonly delivered: Delivered[] = [];
  readonly time = new VirtualTime(new SeededRandom(7));
  readonly queue: AsyncQueue = createMemoryAsyncQueue(() => this.time.now);
  functions: FunctionResource[];
  handler: (call: Call) => InvocationOutcome | Promise<InvocationOutcome> = () => SUCCEEDED;
  deliver: (uri: string, envelope: Envelope) => Promise<void> = async () => undefined;
  routeOf: (uri: string) => AsyncRoute = () => ({ kind: "delivery" });
  readonly process: EventProcess;

  constructor(functions: readonly FunctionResource[], itemsMax?: number) {
    this.functions = [...functions];
    this.process = new EventProcess({
      name: "p1",
      time: this.time,
      random: new SeededRandom(11),
      queue: this.queue,
      destinations: {
        routeOf: (uri) => this.routeOf(uri),
        deliver: async (uri, envelope) => {
          await this.deliver(uri, envelope);
          this.delivered.push({ uri, envelope, atMs: this.time.now });
        },
        close: async () => undefined,
      },
      functions: () => this.functions,
      onCall: async (call) => {
        this.calls.push({ ...call, atMs: this.time.now });
        return await this.handler(call);
      },
      ...(itemsMax === undefined ? {} : { itemsMax }),
    });
    void this.process.worker.start();
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    await this.time.run(this.time.now + ms, () => false);
  }

  async accept(
    id: string,
    fn: string,
    { qualifier = "", payload = "{}", policy = undefined as AsyncPolicy | undefined, lineage = "" } = {},
  ) {
    const state = {
      ...newAttemptState(this.time.now),
      ...(policy === undefined ? {} : { policy }),
      ...(lineage === "" ? {} : { lineage }),
    };
    return await this.process.events.accept([
      {
        ...{ id, kind: "invoke", lane: FUNCTION_LANE + fn, qualifier, state, visibleInMs: 0 },
        body: Buffer.from(payload),
      },
    ]);
  }

  /** What a destination was told, as JSON. */
  records(uri: string): readonly unknown[] {
    return this.delivered.flatMap((each) =>
      each.uri === uri ? [JSON.parse(each.envelope.message?.text ?? "null")] : [],
    );
  }
}

export function functionNamed(
  name: string,
  settings: Partial<FunctionResource> & { readonly config?: InvokeConfig } = {},
): FunctionResource {
  const { config, ...rest } = settings;
  return {
    name,
    target: { kind: "http", url: "http://127.0.0.1:1/" },
    versions: new Map(),
    aliases: new Map(),
    timeoutMs: 3_000,
    concurrency: 10,
    isReserved: false,
    isConcurrencyAdaptive: false,
    errorDetails: "full",
    ...(config === undefined ? {} : { invokeConfigs: new Map([["$LATEST", config]]) }),
    ...rest,
  };
}
