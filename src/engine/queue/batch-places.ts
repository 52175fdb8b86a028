import type { QueueMapping } from "../../model/mapping.ts";
import type { Clock } from "../../ports/clock.ts";
import { type BatchScaling, maximumOf } from "./batch-scaling.ts";
import { ConcurrencyShare, type ConcurrencyShareOptions } from "./concurrency-share.ts";

export interface BatchPlacesOptions
  extends Omit<ConcurrencyShareOptions, "mapping" | "mappingUuid" | "concurrencyMax" | "onChange"> {
  readonly mapping: QueueMapping;
  readonly scaling: BatchScaling;
  readonly clock: Clock;
  /** `false`: messages wait here, and it is time that they go where there is a place. */
  onChange(mayWait: boolean): void;
  /** How long messages may wait here when all places are lost: they may come back. */
  patienceMs(): number;
}

/**
 * How many batches of a mapping this process may run at once: by what the queue needs, and by its share of a maximum.
 */
export class BatchPlaces {
  readonly #options: BatchPlacesOptions;
  /** This process's share of the maximum that holds over all processes, where the mapping has one. */
  readonly #share: ConcurrencyShare | undefined;
  /** Monotonic: since when messages wait here without a place to run. */
  #placelessMs: number | undefined;

  constructor(options: BatchPlacesOptions) {
    this.#options = options;
    const { mapping } = options;
    const concurrencyMax = maximumOf(mapping);
    if (concurrencyMax === undefined) return;
    const named = { mappingUuid: mapping.uuid, mapping: mapping.name, concurrencyMax };
    this.#share = new ConcurrencyShare({ ...options, ...named, onChange: () => this.#changed() });
  }

  /** What is received from now on must find a place that stays. */
  get forNew(): number {
    // plant: every-process-runs-as-many-batches-as-all-may
    return Math.min(this.#options.scaling.limit, this.#share?.places ?? Number.POSITIVE_INFINITY);
  }

  /** What is in hand may use the last places too, before they go to another process. */
  get forAll(): number {
    const places = this.#share?.places ?? Number.POSITIVE_INFINITY;
    if (places > 0) return this.forNew;
    return Math.min(this.#options.scaling.limit, this.#share?.lastPlaces ?? 0);
  }

  /** What this process has of the maximum of all; `undefined`: there is none. */
  get share(): { readonly places: number; readonly most: number } | undefined {
    const most = maximumOf(this.#options.mapping);
    if (this.#share === undefined || most === undefined) return undefined;
    return { places: this.#share.places, most };
  }

  get areHandedOver(): boolean {
    return this.#share?.isHandingOver === true;
  }

  start(): void {
    this.#share?.start();
  }

  /** A batch or a receive has ended. */
  lookAtHandovers(): void {
    this.#share?.lookAtHandovers();
  }

  /** Those that the mapping had under its configuration before. Before `start`. */
  adopt(before: BatchPlaces): void {
    if (this.#share === undefined) void before.letGo();
    else this.#share.adopt(before.#share?.handOver() ?? []);
  }

  /** Something may come yet that the mapping's next worker runs: places stay for it. */
  keep(): void {
    this.#share?.keep();
  }

  /** The mapping does not go on. Resolves when what was kept is given back. */
  async letGo(): Promise<void> {
    await this.#share?.letGo();
  }

  /** Nothing is to be received any more. */
  close(): void {
    this.#share?.close();
  }

  /** Gives everything back. Resolves when that was tried. */
  async end(): Promise<void> {
    await this.#share?.end();
  }

  abandon(): void {
    this.#share?.abandon();
  }

  #changed(): void {
    const { clock, isEmptyHanded, patienceMs, onChange } = this.#options;
    const nowMs = clock.monotonic();
    if (this.forAll > 0 || isEmptyHanded()) this.#placelessMs = undefined;
    else this.#placelessMs ??= nowMs;
    const isPatient = this.#placelessMs === undefined || nowMs - this.#placelessMs < patienceMs();
    if (!isPatient) this.#placelessMs = undefined;
    onChange(isPatient);
  }
}
