import type { Patch } from "../planted/planted-bug.ts";

/** Bugs of the control plane that its simulation must see. */
export interface ControlBug {
  readonly name: string;
  readonly patches: readonly Patch[];
}

const RECONCILER = "src/control/reconciler.ts";
const RUNNER = "src/control/mapping-runner.ts";
const PLANE = "src/control/control-plane.ts";
const LIFE = "src/control/process-life.ts";

export const CONTROL_BUGS: readonly ControlBug[] = [
  bug("a process reads before it beats", {
    file: RECONCILER,
    find: "if (await this.#life.announce(this.#appliedVersion)) await this.#lookAtOthers();\n    const newest = await store.newestVersion();\n    const rows = newest === this.#seenVersion ? undefined : await store.list();",
    replace:
      "const newest = await store.newestVersion();\n    const rows = newest === this.#seenVersion ? undefined : await store.list();\n    if (await this.#life.announce(this.#appliedVersion)) await this.#lookAtOthers();",
  }),
  bug("what was read counts however late it comes", {
    file: LIFE,
    find: "if (this.isCutOff) return false;",
    replace: "this.#heldMs = this.#options.clock.monotonic();",
  }),
  bug("a process that is cut off goes on", {
    file: RECONCILER,
    find: "for (const uuid of this.#kept.keys()) void runner.want(uuid, undefined, true);",
    replace: "",
  }),
  bug("what was opened is started though it is not wanted any more", {
    file: RUNNER,
    find: "if (!this.#isStillWanted(generation) || !mayStart()) {",
    replace: "if (this.#isClosed) {",
  }),
  bug("a change settles without the other processes", {
    file: "src/control/process-book.ts",
    find: "nowMs - movedMs < this.#goneAfterMs && appliedVersion < version",
    replace: "nowMs - movedMs < 1_000 && appliedVersion < version",
  }),
  bug("a change counts as carried out before it is", {
    file: RECONCILER,
    find: "void Promise.all(wishes).then(() => {",
    replace: "void Promise.resolve(wishes).then(() => {",
  }),
  bug(
    "nobody is taken for gone",
    {
      file: "src/control/process-book.ts",
      find: "nowMs - movedMs >= this.#goneAfterMs ? [processId] : [],",
      replace: "nowMs - movedMs >= 1e9 ? [processId] : [],",
    },
    {
      file: "src/control/process-book.ts",
      find: "nowMs - movedMs < this.#goneAfterMs && ",
      replace: "",
    },
  ),
  bug("a source that could not be opened is not tried again", {
    file: RUNNER,
    find: "waitMs * (0.5 + random.next() / 2)",
    replace: "1e9 + waitMs * (0.5 + random.next() / 2)",
  }),
  bug("a mapping of a manifest that cannot be opened ends the start of all", {
    file: PLANE,
    find: "if (isStrict) {",
    replace: "if (!isStrict) {",
  }),
  bug("mappings of manifests are opened one after the other", {
    file: PLANE,
    find: "void this.#runner.want(resource.mapping.uuid, wanted);",
    replace: "await this.#runner.want(resource.mapping.uuid, wanted);",
  }),
  bug("what cannot be opened is looked at later and later, without a bound", {
    file: RUNNER,
    find: "const REOPEN_MS_MAX = 8_000;",
    replace: "const REOPEN_MS_MAX = 600_000;",
  }),
  bug("an opening that hangs is waited for for ever", {
    file: RUNNER,
    find: "const OPEN_MS_MAX = 30_000;",
    replace: "const OPEN_MS_MAX = 1e9;",
  }),
];

function bug(name: string, ...patches: readonly Patch[]): ControlBug {
  return { name, patches };
}
