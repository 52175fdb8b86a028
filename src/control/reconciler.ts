import { RepeatedLines } from "../lib/repeated-lines.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type { ScheduledCall } from "../ports/clock.ts";
import type { Membership } from "../ports/membership.ts";
import type { ResourceRow } from "../ports/resource-store.ts";
import { FUNCTION_KINDS, MAPPING_KIND, ROUTE_KIND, TIMED_KINDS } from "../resources/kinds.ts";
import { isToRun } from "./declared-here.ts";
import { driftedByKind, functionsOf } from "./function-rows.ts";
import { type KeptMapping, readRow, rowOf, tombstoneOf } from "./mapping-record.ts";
import { ProcessBook } from "./process-book.ts";
import { GONE_MS, ProcessLife } from "./process-life.ts";
import type { KnownMapping, ReconcilerOptions } from "./reconciler-options.ts";
import { UnreadableRows } from "./unreadable-rows.ts";

/** How often a process looks for changes: what an acknowledged change takes to be seen. */
export const LOOK_MS = 1_000;

/**
 * Makes this process run what the rows say, and settles rows that all living processes have carried out: a change is
 * seen within a look, a process that is cut off from the store stops by itself after `CUT_OFF_MS`, and only who stood
 * still for `GONE_MS` is not waited for. So a mapping that is Disabled is started by nobody any more, and one whose
 * change was only acknowledged is started by nobody after a look, or after `CUT_OFF_MS` by one that is cut off (I17).
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #processes = new ProcessBook(GONE_MS);
  readonly #life: ProcessLife;
  #kept = new Map<string, KeptMapping>();
  /** As the last look that read the rows had them, also while the store is out of reach. */
  #known: readonly KnownMapping[] | undefined;
  /** The store's, at the last look that read the rows. */
  #seenVersion = -1;
  #appliedVersion = 0;
  /** In order: versions that were seen and are not all carried out. */
  #applying: { readonly version: number; isDone: boolean }[] = [];
  readonly #unreadable: UnreadableRows;
  #timer: ScheduledCall | undefined;
  #looking: Promise<void> = Promise.resolve();
  /** What functions are by now is open, or its time is up. */
  #declaring: Promise<void> = Promise.resolve();
  #isLooking = false;
  #isWoken = false;
  #isStopped = false;
  #beat: ScheduledCall | undefined;
  #beating: Promise<unknown> = Promise.resolve();
  /** By kind, at the last look that read the rows. */
  drifted: ReadonlyMap<string, number> = new Map();
  readonly #lines: RepeatedLines;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#lines = new RepeatedLines(options.clock, options.telemetry);
    this.#unreadable = new UnreadableRows(options.telemetry);
    this.#life = new ProcessLife({ ...options, onCutOff: () => this.#stopAll() });
  }

  /** Mappings of all owners, as the last look had them; `undefined`: there was none yet. */
  get known(): readonly KnownMapping[] | undefined {
    return this.#known;
  }

  /** For whoever shares something with the others of the store. */
  get membership(): Membership {
    const [life, processes, { clock }] = [this.#life, this.#processes, this.#options];
    return {
      get processId() {
        return life.name;
      },
      get life() {
        return life.life;
      },
      get isCutOff() {
        return life.isCutOff;
      },
      get living() {
        return Math.max(1, processes.living);
      },
      get names() {
        return processes.names;
      },
      isGone: (processId) => !life.isOwn(processId) && processes.isGone(processId, clock.monotonic()),
    };
  }

  get beats(): Pick<ProcessBook, "standingOf" | "behind"> {
    return this.#processes;
  }

  /** A process that lives runs something older than what the store held at this version, as far as is known. */
  isBehind(version: number): boolean {
    return this.#appliedVersion < version || this.#processes.behind(version).length > 0;
  }

  /** The first look is made when this resolves. A store that cannot be read is tried again. */
  async start(): Promise<void> {
    this.wake();
    await this.#looking;
  }

  /** Looks now: something was changed. */
  wake(): void {
    this.#isWoken = true;
    if (this.#isLooking || this.#isStopped) return;
    this.#isLooking = true;
    this.#timer?.cancel();
    this.#looking = this.#lookUntilQuiet();
  }

  /** Looks now; resolves when calls go by what this process has seen then, whatever the store answered. */
  async look(): Promise<void> {
    this.wake();
    await this.#looking;
    await this.#declaring;
  }

  /** Looks now, and acts on all rows: what its own manifests declare has changed. */
  lookAnew(): void {
    this.#seenVersion = -1;
    this.wake();
  }

  /** Stops looking; what runs goes on, and until it is over the others hear of this process. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#looking;
    this.#beatOn();
  }

  /** Others need not wait for this process: it runs nothing any more. */
  async forget(): Promise<void> {
    this.#beat?.cancel();
    await this.#beating;
    this.#beat?.cancel();
    this.#life.stop();
    await this.#life.forget().catch(() => undefined);
  }

  #beatOn(): void {
    this.#beat = this.#options.clock.schedule(LOOK_MS, () => {
      this.#beating = this.#life
        .announce(this.#appliedVersion)
        .then(() => this.#life.hold())
        .catch(() => undefined)
        .finally(() => this.#beatOn());
    });
  }

  async #lookUntilQuiet(): Promise<void> {
    while (this.#isWoken && !this.#isStopped) {
      this.#isWoken = false;
      try {
        await this.#lookOnce();
      } catch (error) {
        const message = "the store of mappings could not be read or written; trying again";
        this.#lines.write("warn", message, { error: describeError(error) });
      }
    }
    this.#isLooking = false;
    if (!this.#isStopped) this.#timer = this.#options.clock.schedule(LOOK_MS, () => this.wake());
  }

  /** Beats before it reads: what is changed after the reading waits for this process, also on its very first look. */
  async #lookOnce(): Promise<void> {
    const { store } = this.#options;
    // plant: a-process-reads-before-it-beats
    if (await this.#life.announce(this.#appliedVersion)) await this.#lookAtOthers();
    const newest = await store.newestVersion();
    const rows =
      newest === this.#seenVersion
        ? undefined
        : await store.list([MAPPING_KIND, ...FUNCTION_KINDS, ROUTE_KIND, ...TIMED_KINDS]);
    if (!this.#life.hold()) {
      throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "The rows came too late to be acted on.");
    }
    if (rows !== undefined) this.#apply(newest, rows);
    await this.#settle();
  }

  #apply(version: number, all: readonly ResourceRow[]): void {
    const { runner, functions } = this.#options;
    const rows = all.filter(({ kind }) => kind === MAPPING_KIND);
    const before = this.#kept;
    this.#kept = new Map(rows.flatMap((row) => this.#read(row)).map((kept) => [kept.uuid, kept]));
    const mayStart = () => !this.#life.isCutOff;
    // Functions first: a mapping of this look may be of one of them.
    this.#declaring = this.#declareFunctions(all);
    const timed = this.#options.schedules?.declare(all);
    const wishes = [this.#declaring, ...(timed === undefined ? [] : [timed.carriedOut])];
    this.#unreadable.tell(timed?.unreadable ?? []);
    // A row that is gone, or that cannot be read, is not run: others may settle it without a look at what it says here.
    for (const uuid of new Set([...before.keys(), ...rows.map((row) => row.uid)])) {
      if (!this.#kept.has(uuid)) wishes.push(runner.want(uuid, undefined));
    }
    const here = this.#options.declared?.();
    this.#known = [...this.#kept.values()].map((kept) => ({ kept, isToRun: isToRun(kept, here) }));
    for (const { kept, isToRun: isWanted } of this.#known) {
      const { uuid, record, resource } = kept;
      // plant: a-reload-restarts-what-did-not-change
      const generation = functions.runKey(record.generation, resource);
      const wanted = isWanted ? { generation, resource, mayStart } : undefined;
      // plant: mappings-of-manifests-are-opened-one-after-the-other
      wishes.push(runner.want(uuid, wanted));
    }
    this.#seenVersion = version;
    const entry = { version, isDone: false };
    this.#applying.push(entry);
    // plant: a-change-counts-as-carried-out-before-it-is
    void Promise.all(wishes).then(() => {
      entry.isDone = true;
      this.#advance();
    });
  }

  #declareFunctions(rows: readonly ResourceRow[]): Promise<void> {
    const { functions, routes } = this.#options;
    const read = functionsOf(rows);
    this.drifted = driftedByKind(rows);
    const unreadable = [...read.unreadable, ...(routes?.declare(rows) ?? [])];
    this.#unreadable.tell(unreadable);
    return functions.declare(read.functions);
  }

  #read(row: ResourceRow): KeptMapping[] {
    try {
      const kept = readRow(row, this.#options);
      return kept === undefined ? [] : [kept];
    } catch (error) {
      this.#unreadable.tellOnce(row.uid, describeError(error));
      return [];
    }
  }

  #advance(): void {
    for (let next = this.#applying[0]; next?.isDone === true; next = this.#applying[0]) {
      this.#appliedVersion = next.version;
      this.#applying.shift();
    }
    this.wake();
  }

  async #lookAtOthers(): Promise<void> {
    const { store, clock } = this.#options;
    const askedMs = clock.monotonic();
    this.#processes.observe(await store.processes(), askedMs, clock.monotonic());
    for (const gone of this.#processes.gone(askedMs)) {
      if (!this.#life.isOwn(gone)) await store.forget(gone);
    }
  }

  async #settle(): Promise<void> {
    const { store, clock } = this.#options;
    const due = [...this.#kept.values()].filter(
      ({ record, version }) => record.transition !== undefined && version <= this.#appliedVersion,
    );
    if (due.length === 0) return;
    const askedMs = clock.monotonic();
    this.#processes.observe(await store.processes(), askedMs, clock.monotonic());
    for (const kept of due) {
      if (!this.#processes.haveAllApplied(kept.version, askedMs)) continue;
      // Read back: what was written gets a newer version.
      if (await this.#settleRow(kept)) this.#isWoken = true;
    }
  }

  /** `false`: somebody else has written it. */
  async #settleRow({ uuid, version, record, claims }: KeptMapping): Promise<boolean> {
    const { store, progress, telemetry, connectors } = this.#options;
    const { transition, ...settled } = record;
    if (transition !== "Deleting") {
      const row = rowOf(uuid, settled, connectors);
      // An orphan may have given its claims up.
      const kept = claims === undefined ? row : { ...row, claims };
      return (await store.replace(kept, version)).kind === "written";
    }
    // In this order: a death in between leaves the row, and whoever finds it does both again.
    await progress.remove(uuid);
    const isKeptDeleted = record.owner.kind === "api" && record.owner.isAdopted === true;
    const removal = isKeptDeleted ? store.replace(tombstoneOf(uuid), version) : store.remove(uuid, version);
    const { kind } = await removal;
    telemetry.log("info", "mapping deleted", { mapping: record.name });
    return kind === "written" || kind === "removed";
  }

  #stopAll(): void {
    if (this.#isStopped) return;
    const { runner, telemetry } = this.#options;
    const message = "the store of mappings is out of reach: its mappings stop until it answers";
    telemetry.log("error", message, { mappings: this.#kept.size });
    // plant: a-process-that-is-cut-off-goes-on
    for (const uuid of this.#kept.keys()) void runner.want(uuid, undefined, true);
    this.#kept = new Map();
    this.#applying = [];
    this.#seenVersion = -1;
    this.#appliedVersion = 0;
  }
}
