import type { MappingStatus } from "../engine/engine.ts";
import { Door } from "../invocation/door.ts";
import { SharedLimits } from "../invocation/shared-limits.ts";
import type { Manifests } from "../manifests/load-manifests.ts";
import type { FunctionResource } from "../manifests/resources.ts";
import type { FunctionErrors } from "../model/function-error.ts";
import type { Place } from "../model/place.ts";
import type { ScheduledCall } from "../ports/clock.ts";
import type { Connector } from "../ports/connector.ts";
import type { Invoker } from "../ports/invoker.ts";
import { type ExplainedBeside, ToldBeside } from "./beside/told-beside.ts";
import { withinReach } from "./broker-reach.ts";
import type { ControlPlaneOptions, EventsBook } from "./control-plane-options.ts";
import { uuidsOf } from "./declared-here.ts";
import { declarationsIn, declareManifests } from "./declared-manifests.ts";
import type { ExplainedAll, ExplainedMappingWithText } from "./explain-mapping.ts";
import { FailureControl } from "./failure-control.ts";
import type { FunctionBook } from "./function-book.ts";
import { createFunctionControls, type FunctionControls } from "./functions/function-controls.ts";
import { PackageSweep } from "./functions/package-sweep.ts";
import { ToldFunctions } from "./functions/told-functions.ts";
import { LoadTestBook } from "./live/load-tests.ts";
import { MappingControl } from "./mapping-control.ts";
import { MappingRunner } from "./mapping-runner.ts";
import { PlaneStatus } from "./plane-status.ts";
import { ProcessWatch } from "./process-watch.ts";
import { LOOK_MS, Reconciler } from "./reconciler.ts";
import { ResourceControl } from "./resource-control.ts";
import { createRollouts, type Rollouts } from "./rollouts/create-rollouts.ts";
import { iteratorAges } from "./rollouts/iterator-age.ts";
import type { RolloutControl } from "./rollouts/rollout-control.ts";
import { RouteBook } from "./routes/route-book.ts";
import type { FrontPlace } from "./routes/route-url.ts";
import { TimedControls } from "./schedules/timed-controls.ts";
import type { Refusal } from "./set-plan.ts";
import { beginStrictly, openStrictly } from "./strict-start.ts";
import type { WholeView } from "./whole-view.ts";

/** What is not fine, mappings and others. */
type ExplainedEverything = ExplainedAll & { readonly others: readonly ExplainedBeside[] };

const NOTHING_WRONG = "There is no mapping, and nothing else is in anybody's way.";

/** What is run by this process: what the rows of the store say, whoever wrote them. */
export class ControlPlane {
  readonly mappings: MappingControl;
  /** Rows of all kinds: whose they are. */
  readonly resources: ResourceControl;
  readonly failures: FailureControl;
  readonly functionControls: FunctionControls;
  readonly loadTests: LoadTestBook;
  readonly toldFunctions: ToldFunctions;
  /** Events, schedules and routes, for people. */
  readonly toldBeside: ToldBeside;
  readonly timed: TimedControls;
  /** Ways from HTTP requests to functions, as the last look had them. */
  readonly routes = new RouteBook();
  /** What the manifests declare and others had declared before. */
  refusals: readonly Refusal[] = [];
  readonly place: Place;
  readonly connectors: readonly Connector[];
  /** For all who call a function by its name. */
  readonly door: Invoker;
  readonly #functions: FunctionBook;
  readonly #limits: SharedLimits;
  readonly #rollouts: Rollouts;
  readonly #status: PlaneStatus;
  readonly #reconciler: Reconciler;
  readonly #runner: MappingRunner;
  readonly #sweep: PackageSweep | undefined;
  readonly #watch: ProcessWatch;
  readonly #options: ControlPlaneOptions;
  /** As they were read last. */
  #manifests: Manifests;
  #uuids: ReadonlySet<string>;
  #again: ScheduledCall | undefined;
  #isStopped = false;

  private constructor(options: ControlPlaneOptions) {
    const { engine, functionBook, clock, random, place } = options;
    this.loadTests = new LoadTestBook(clock);
    this.connectors = withinReach(options.connectors, options.reach);
    const { connectors } = this;
    this.#functions = functionBook;
    this.door = new Door(functionBook, options.invokers, clock, options.telemetry);
    this.place = place;
    this.#options = options;
    this.#manifests = options.manifests;
    this.#uuids = uuidsOf(options.manifests);
    this.#runner = new MappingRunner(options);
    const membershipOf = () => this.#reconciler.membership;
    const look = () => this.look();
    const { events } = options.events ?? {};
    this.timed = new TimedControls({ ...options, events, membership: membershipOf, onChange: look });
    this.#reconciler = new Reconciler({
      ...options,
      connectors,
      manifestConnectors: options.connectors,
      runner: this.#runner,
      functions: functionBook,
      schedules: this.timed.book,
      routes: this.routes,
      declared: () => ({ owner: options.owner, uuids: this.#uuids }),
    });
    const { membership } = this.#reconciler;
    this.toldFunctions = new ToldFunctions(options, this);
    this.toldBeside = new ToldBeside(this);
    this.#watch = new ProcessWatch({
      ...options,
      publishLog: (nowMs) => this.toldFunctions.logs.publish(nowMs),
      totals: (mapping) => options.telemetry.totals(mapping),
      errors: (mapping) => options.invokers.errors.of(mapping),
      status: () => this.status(),
      loadTests: () => this.loadTests.list(),
      redrives: () => options.failures.redrives.pending(),
      environments: () => options.telemetry.environments(),
      eventFigures: () => options.telemetry.eventFigures(),
      memoryOf: (name) => this.#functions.memoryOf(name),
      resourceOf: (uuid) => this.#runner.resourceOf(uuid),
      beatsAs: () => membership.processId,
      beat: (name) => this.#reconciler.beats.standingOf(name),
      behind: (version) => this.#reconciler.beats.behind(version),
      isDeclared: (uuid) => this.#uuids.has(uuid),
    });
    this.#status = new PlaneStatus({
      engine,
      runner: this.#runner,
      reconciler: this.#reconciler,
      watch: this.#watch,
      manifests: () => this.#manifests,
    });
    this.#limits = new SharedLimits({ ...options, membership });
    options.invokers.share(this.#limits);
    const onChange = () => this.#reconciler.wake();
    const declared = () => ({
      set: options.owner.set,
      declarations: declarationsIn(this.#manifests, options.connectors),
    });
    this.resources = new ResourceControl({ ...options, connectors, onChange: look, declared });
    this.mappings = new MappingControl({ ...options, connectors, status: () => this.status(), onChange });
    this.functionControls = createFunctionControls({
      ...options,
      packages: options.packages?.store,
      onChange: () => this.look(),
      readinessOf: (name, version) => this.#functions.readinessOf(name, version),
      isBehind: (version) => this.#reconciler.isBehind(version),
    });
    const needed = () => this.functionControls.functions.neededPackages();
    this.#sweep = options.packages && new PackageSweep(options.packages, needed, options);
    const iteratorAgeOf = iteratorAges(() => this.status(), this.#runner);
    const judged = { membership, door: this.door, figures: options.invokers.figures, iteratorAgeOf };
    this.#rollouts = createRollouts({ ...options, ...judged, onChange: look });
    const known = { mappings: this.mappings, asynchronous: this };
    this.failures = new FailureControl({ ...options.failures, ...known, clock, random });
  }

  /**
   * Writes what the manifests declare, and runs what the rows then say. What cannot be opened is tried again, and
   * neither ends nor delays any other (I27). Resolves before they are open: `status` says how each of them is.
   * @throws MillraceError when strict, with all of the manifests that could not be opened.
   */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    // plant: a-mapping-of-a-manifest-that-cannot-be-opened-ends-the-start-of-all
    const opened = options.isStrict ? await openStrictly(options) : [];
    const plane = new ControlPlane(options);
    await plane.#declare();
    if (opened.length > 0) await beginStrictly(opened, plane.#runner, options);
    await plane.#reconciler.start();
    plane.timed.start();
    plane.#watch.start();
    plane.#sweep?.start();
    plane.#rollouts.driver.start();
    return plane;
  }

  /** Resolves when this process knows what the rows say by now. */
  async look(): Promise<void> {
    await this.#reconciler.look();
  }

  /** By kind: resources that are not as their owners declared them, as the last look has it. */
  drifted(): ReadonlyMap<string, number> {
    return this.#reconciler.drifted;
  }

  /** With texts for who may `inspect`. @throws ControlFault, MillraceError ERR_MILLRACE_STORE_UNAVAILABLE */
  async explain(
    uuid: string,
    part: string | undefined,
    { inspect } = { inspect: false },
  ): Promise<ExplainedMappingWithText> {
    return this.#watch.explain(await this.mappings.get(uuid), { part, mayInspect: inspect });
  }

  /**
   * All that is not fine: mappings, worst first, and events, schedules and routes.
   * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE
   */
  async explainAll({ inspect } = { inspect: false }): Promise<ExplainedEverything> {
    const all = await this.#watch.explainAll(await this.mappings.list({}), inspect);
    const others = await this.toldBeside.bad(inspect);
    const text = [...all.text, ...others.flatMap((each) => each.text)];
    return { ...all, others, text: text.length === 0 ? [NOTHING_WRONG] : text };
  }

  /** What all processes of the store say. `isPatient`: waits a little for those that live to say it anew. */
  everywhere(isPatient: boolean): Promise<WholeView> {
    return this.#watch.everywhere(isPatient);
  }

  get rollouts(): RolloutControl {
    return this.#rollouts.control;
  }

  get accountConcurrency(): number | undefined {
    return this.#options.accountConcurrency;
  }

  /** `undefined`: this process takes no asynchronous events. */
  get events(): EventsBook | undefined {
    return this.#options.events;
  }

  /** The functions that rows declare. */
  get functions(): readonly FunctionResource[] {
    return this.#functions.functions;
  }

  /** Where HTTP requests are served; `undefined`: nowhere. */
  get front(): FrontPlace | undefined {
    return this.#options.front;
  }

  /** How direct calls of a function failed in this process. */
  errorsOf(functionName: string): FunctionErrors {
    return this.#options.invokers.errors.ofFunction(functionName);
  }

  /** The status of all that this process is to run. */
  status(): readonly MappingStatus[] {
    return this.#status.all();
  }

  /**
   * Applies manifests that were read again: only what differs is stopped, started or opened anew (I42).
   * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE
   */
  async reload(manifests: Manifests): Promise<void> {
    this.#manifests = manifests;
    this.#uuids = uuidsOf(manifests);
    await this.#declare();
    this.#reconciler.lookAnew();
  }

  /** What these functions are made of is another: their next call has it. Never rejects. */
  async reopen(functionNames: readonly string[]): Promise<void> {
    this.#runner.hurry();
    await this.#functions.reopen(functionNames);
    const isPublished = this.#manifests.functions.some(
      (fn) => functionNames.includes(fn.name) && [...fn.aliases.values()].some(({ publish }) => publish),
    );
    // The store's own problems are told of by the reconciler, a folder's by the function that runs there.
    if (isPublished) await this.#declare().catch(() => undefined);
  }

  /** What cannot be declared before something else is gone is declared then. */
  async #declare(): Promise<void> {
    this.#again?.cancel();
    const { clock } = this.#options;
    const { waiting, refusals } = await declareManifests({ ...this.#options, manifests: this.#manifests });
    this.refusals = refusals;
    if (waiting.length === 0 || this.#isStopped) return;
    this.#again = clock.schedule(LOOK_MS, () => {
      // A store that does not answer is told of by the reconciler.
      this.reload(this.#manifests).catch(() => undefined);
    });
  }

  /** Starts nothing more. What runs is the engine's to stop. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#again?.cancel();
    this.#watch.stop();
    this.#runner.close();
    await this.#rollouts.driver.stop();
    await this.timed.stop();
    await this.#sweep?.stop();
    await this.#reconciler.stop();
  }

  /** After the engine has stopped: others need not wait for this process. */
  async forget(): Promise<void> {
    await this.#watch.end();
    await this.#limits.close();
    await this.#reconciler.forget();
  }
}
