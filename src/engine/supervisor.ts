import { InvokerBook } from "../invocation/invoker-book.ts";
import { mappingDoor } from "../invocation/mapping-door.ts";
import { LeaseBooks } from "../leases/lease-books.ts";
import { longestTimeoutMs, qualifierIn } from "../model/call-timeouts.ts";
import { ByteBudget } from "./budget.ts";
import type {
  Engine,
  EngineOptions,
  MappingDeployment,
  MappingStatus,
  StopOptions,
  StopReport,
  Taken,
} from "./engine.ts";
import type { MappingExplanation } from "./explanation.ts";
import { QueueWorker } from "./queue/queue-worker.ts";
import { ReceiveKeep } from "./queue/receive-keep.ts";
import { MappingWorker } from "./stream/mapping-worker.ts";

type Worker = MappingWorker | QueueWorker;

const NOTHING_LEFT: StopReport = { comesAgain: 0 };

/** Mappings that are wanted, and the workers that run them. */
export class Supervisor implements Engine {
  readonly #options: EngineOptions;
  readonly #processBudget: ByteBudget;
  readonly #workers = new Map<string, Worker>();
  readonly #stopping = new WeakMap<Worker, Promise<StopReport>>();
  readonly #invokers: InvokerBook;
  readonly #receives: ReceiveKeep;
  readonly #leaseBooks: LeaseBooks;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#invokers = options.invokers ?? new InvokerBook(options.clock, options.telemetry);
    this.#receives = new ReceiveKeep(options.clock, options.telemetry);
    this.#leaseBooks = new LeaseBooks(options.owner, options.settings);
    this.#processBudget = new ByteBudget(options.settings.processBudgetBytes);
  }

  start(deployment: MappingDeployment): void {
    const { uuid, enabled } = deployment.mapping;
    if (!enabled || this.#workers.has(uuid)) return;
    const shared = {
      ...this.#options,
      processBudget: this.#processBudget,
      book: this.#leaseBooks.of(uuid),
      invoker: mappingDoor(this.#invokers, deployment, {
        ...this.#options,
        bounds: this.#options.settings,
      }),
    };
    if (deployment.kind === "stream") {
      const worker = new MappingWorker({ ...shared, deployment });
      this.#workers.set(uuid, worker);
      worker.start();
    } else {
      const worker = new QueueWorker({ ...shared, deployment, functionTimeoutMs: callMs(deployment) });
      this.#workers.set(uuid, worker);
      worker.start(this.#receives.take(deployment));
    }
  }

  async stopMapping(uuid: string, drainMs: number, how: StopOptions = {}): Promise<StopReport> {
    const worker = this.#workers.get(uuid);
    // plant: an-update-forgets-what-was-seen-of-leases
    if (how.isFollowed !== true) this.#leaseBooks.forget(uuid);
    if (worker === undefined) return NOTHING_LEFT;
    if (how.isFollowed === true && worker instanceof QueueWorker)
      this.#receives.put(worker.deployment, worker.handOver());
    const report = await this.#stopWorker(worker, drainMs, how.startsMs);
    if (this.#workers.get(uuid) === worker) this.#workers.delete(uuid);
    return report;
  }

  expectStop(uuid: string): void {
    const worker = this.#workers.get(uuid);
    if (worker instanceof QueueWorker) worker.expectStop();
  }

  receivesBack(uuid: string): Promise<void> {
    return this.#receives.back(uuid);
  }

  async stop(drainMs: number): Promise<StopReport> {
    const stopping = [...this.#workers.values()].map((worker) => this.#stopWorker(worker, drainMs));
    const [reports] = await Promise.all([Promise.all(stopping), this.#receives.end(drainMs)]);
    return { comesAgain: reports.reduce((sum, { comesAgain }) => sum + comesAgain, 0) };
  }

  taken(): Taken {
    return { budgetBytes: this.#processBudget.used, slots: this.#invokers.taken };
  }

  /** Who asks for it a second time waits for the same end: nothing of the mapping may start again before it. */
  #stopWorker(worker: Worker, drainMs: number, startsMs?: number): Promise<StopReport> {
    const known = this.#stopping.get(worker);
    if (known !== undefined && worker instanceof QueueWorker)
      worker.hurry(Math.min(drainMs, startsMs ?? drainMs));
    const stopping = known ?? this.#stopOnce(worker, drainMs, startsMs);
    this.#stopping.set(worker, stopping);
    return stopping;
  }

  async #stopOnce(worker: Worker, drainMs: number, startsMs: number | undefined): Promise<StopReport> {
    if (worker instanceof QueueWorker) {
      await worker.stop(drainMs, startsMs);
      return NOTHING_LEFT;
    }
    const stopped = worker.stop(drainMs);
    // After the stop has begun: what is sent away must not come again. A queue does it itself, when its drain is over.
    this.#invokers.dismiss(worker.status().name);
    return await stopped;
  }

  status(): readonly MappingStatus[] {
    return [...this.#workers.values()].map((worker) => worker.status());
  }

  explain(uuid: string): MappingExplanation | undefined {
    return this.#workers.get(uuid)?.explain();
  }
}

/** What one attempt may take, with all that stands before the function. */
function callMs({ fn, pipe, mapping }: MappingDeployment): number {
  const { enrichment } = pipe ?? {};
  const beforeMs =
    enrichment === undefined ? 0 : longestTimeoutMs(enrichment.fn, qualifierIn(enrichment.functionArn));
  return longestTimeoutMs(fn, qualifierIn(mapping.functionArn)) + beforeMs;
}
