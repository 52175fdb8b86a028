import type { Patch } from "../planted/planted-bug.ts";

/** Bugs of the control plane that its simulation must see. */
export interface ControlBug {
  readonly name: string;
  readonly patches: readonly Patch[];
}

export const CONTROL_BUGS: readonly ControlBug[] = [
  bug("a process reads before it beats", {
    at: "a-process-reads-before-it-beats",
    lines: 3,
    instead:
      "const newest = await store.newestVersion();\nconst rows = newest === this.#seenVersion ? undefined : await store.list();\nif (await this.#life.announce(this.#appliedVersion)) await this.#lookAtOthers();",
  }),
  bug("what was read counts however late it comes", {
    at: "what-was-read-counts-however-late-it-comes",
    instead: "this.#heldMs = this.#options.clock.monotonic();",
  }),
  bug("a process that is cut off goes on", { at: "a-process-that-is-cut-off-goes-on", instead: "" }),
  bug("what was opened is started though it is not wanted any more", {
    at: "what-was-opened-is-started-though-it-is-not-wanted-any-more",
    instead: "if (this.#isClosed) {",
  }),
  bug("a change settles without the other processes", {
    at: "a-change-settles-without-the-other-processes",
    instead: "if (nowMs - movedMs < 1_000 && appliedVersion < version) return false;",
  }),
  bug("a change counts as carried out before it is", {
    at: "a-change-counts-as-carried-out-before-it-is",
    instead: "void Promise.resolve(wishes).then(() => {",
  }),
  bug(
    "nobody is taken for gone",
    { at: "nobody-is-taken-for-gone", instead: "nowMs - movedMs >= 1e9 ? [processId] : []," },
    { at: "nobody-is-taken-for-gone-2", instead: "if (appliedVersion < version) return false;" },
  ),
  bug("a source that could not be opened is not tried again", {
    at: "a-source-that-could-not-be-opened-is-not-tried-again",
    instead:
      "this.#retry = clock.schedule(1e9 + waitMs * (0.5 + random.next() / 2), () => void this.#next());",
  }),
  bug("a mapping of a manifest that cannot be opened ends the start of all", {
    at: "a-mapping-of-a-manifest-that-cannot-be-opened-ends-the-start-of-all",
    instead: "const opened = options.isStrict ? [] : await openStrictly(options);",
  }),
  bug("mappings of manifests are opened one after the other", {
    at: "mappings-of-manifests-are-opened-one-after-the-other",
    instead: "wishes.push((wishes.at(-1) ?? Promise.resolve()).then(() => runner.want(uuid, wanted)));",
  }),
  bug("what cannot be opened is looked at later and later, without a bound", {
    at: "what-cannot-be-opened-is-looked-at-later-and-later-without-a-bound",
    instead: "const REOPEN_MS_MAX = 600_000;",
  }),
  bug("an opening that hangs is waited for for ever", {
    at: "an-opening-that-hangs-is-waited-for-for-ever",
    instead: "const OPEN_MS_MAX = 1e9;",
  }),
  bug("a lower revision of manifests overwrites a higher", {
    at: "a-lower-revision-overwrites",
    instead: "if (newest < 0) return { writes: [], refusals: [], newerRevision: 0 };",
  }),
  bug("the API edits what a manifest owns", {
    at: "the-api-edits-what-a-manifest-owns",
    instead: "if (isEnabled !== undefined || isOperation)",
  }),
  bug("a change of something else drops what the API set beside the owner", {
    at: "a-start-drops-what-the-api-set-beside-the-owner",
    instead:
      "const kept = Object.entries(overrides ?? {}).filter(([field]) => {\nif (field !== '') return false;",
  }),
  bug("a reload restarts what did not change", {
    at: "a-reload-restarts-what-did-not-change",
    instead: "const generation = functions.runKey(version, resource.functionName);",
  }),
  bug("a new revision restarts all of its set", {
    at: "a-new-revision-restarts-all-of-its-set",
    instead: "generation: before.generation + (isOther ? 2 : 1),",
  }),
  bug("manifests that are not valid are applied as none", {
    at: "manifests-that-are-not-valid-are-applied-as-none",
    instead:
      'if (loaded.kind === "valid" || loaded.problems.length >= 0) return apply(loaded.kind === "valid" ? loaded.manifests : { functions: [], mappings: [] });',
  }),
];

function bug(name: string, ...patches: readonly Patch[]): ControlBug {
  return { name, patches };
}
