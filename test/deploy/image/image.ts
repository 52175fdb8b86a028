import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { cacheFolder } from "../../servers/cache-folder.ts";
import { BuildContext } from "./build-context.ts";
import { Container, runStep, type Seal } from "./container.ts";
import { type Instruction, parseDockerfile, parseExecForm, parsePairs, type Stage } from "./dockerfile.ts";
import { createBaseRoot, placeOf, type RootFolder } from "./root-folder.ts";

/** What a runtime is told of an image, and its files. */
export interface Image {
  readonly base: string;
  readonly root: RootFolder;
  readonly environment: ReadonlyMap<string, string>;
  readonly user: string;
  readonly folder: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly volumes: readonly string[];
  readonly stopSignal: string;
  readonly healthCheck: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Carries out `folder/Dockerfile`, step by step, in a new folder below `work`. */
export function buildImage(folder: string, work: string): Image {
  const stages = parseDockerfile(readFileSync(join(folder, "Dockerfile"), "utf8"));
  const context = new BuildContext(folder);
  const built = new Map<string, Build>();
  let last: Build | undefined;
  for (const [index, stage] of stages.entries()) {
    last = new Build(stage, join(work, `stage-${index}`), context, built);
    for (const instruction of stage.instructions) last.carryOut(instruction);
    if (stage.name !== undefined) built.set(stage.name, last);
  }
  if (last === undefined) throw new Error("the Dockerfile has no FROM");
  return last;
}

/** Starts the image as a careful runtime does; `command` in place of its own. */
export function runImage(image: Image, seal: Seal, command = image.command): Container {
  const { root, user, folder, environment } = image;
  return new Container({ root, user, folder, environment, words: [...image.entrypoint, ...command], seal });
}

class Build implements Image {
  readonly base: string;
  readonly root: RootFolder;
  readonly environment = new Map([["PATH", PATH]]);
  readonly labels = new Map<string, string>();
  readonly volumes: string[] = [];
  user = "0:0";
  folder = "/";
  stopSignal = "SIGTERM";
  healthCheck: readonly string[] = [];
  entrypoint: readonly string[] = [];
  command: readonly string[] = [];
  readonly #context: BuildContext;
  readonly #stages: ReadonlyMap<string, Build>;

  constructor(stage: Stage, folder: string, context: BuildContext, stages: ReadonlyMap<string, Build>) {
    if (stages.has(stage.from)) throw new Error(`the proof does not know stages FROM another: ${stage.from}`);
    this.base = stage.from;
    this.root = createBaseRoot(folder);
    this.#context = context;
    this.#stages = stages;
  }

  carryOut({ name, flags, text }: Instruction): void {
    switch (name) {
      case "COPY":
        this.#copy(text.split(/\s+/), flags.get("from"));
        return;
      case "RUN":
        this.#run(text);
        return;
      case "ENV":
        for (const [variable, value] of parsePairs(text)) this.environment.set(variable, value);
        return;
      case "LABEL":
        for (const [label, value] of parsePairs(text)) this.labels.set(label, value);
        return;
      case "WORKDIR":
        this.folder = text;
        mkdirSync(placeOf(this.root, text), { recursive: true });
        return;
      case "USER":
        this.user = text;
        return;
      case "VOLUME":
        this.volumes.push(text);
        return;
      case "STOPSIGNAL":
        this.stopSignal = text;
        return;
      case "HEALTHCHECK":
        this.healthCheck = parseExecForm(text.replace(/^CMD\s+/, ""));
        return;
      case "ENTRYPOINT":
        this.entrypoint = parseExecForm(text);
        return;
      case "CMD":
        this.command = parseExecForm(text);
        return;
      case "EXPOSE":
        return;
      default:
        throw new Error(`the proof cannot carry out ${name}`);
    }
  }

  /** A folder's content goes into the target, a file keeps its name in a target that ends in a slash. */
  #copy(words: readonly string[], from: string | undefined): void {
    const target = words.at(-1) ?? "";
    for (const source of words.slice(0, -1)) {
      const path = this.#source(source, from);
      const isFolder = source.endsWith("/");
      const place = placeOf(this.root, join(this.folder, target));
      const end = target.startsWith("/") ? placeOf(this.root, target) : place;
      const file = target.endsWith("/") ? join(end, basename(source)) : end;
      const destination = isFolder ? end : file;
      mkdirSync(dirname(destination), { recursive: true });
      cpSync(path, destination, { recursive: isFolder, verbatimSymlinks: true });
    }
  }

  #source(source: string, from: string | undefined): string {
    if (from === undefined) return this.#context.pathOf(source);
    const stage = this.#stages.get(from);
    if (stage === undefined) throw new Error(`there is no stage ${from}`);
    return placeOf(stage.root, source);
  }

  /** With the certificates that this machine trusts: its packages may come through a proxy of its own. */
  #run(text: string): void {
    const { root, user, folder } = this;
    const certificates = process.env["NODE_EXTRA_CA_CERTS"];
    const environment = new Map(this.environment).set("HOME", "/root");
    if (certificates !== undefined) environment.set("NODE_EXTRA_CA_CERTS", certificates);
    const npmCache = join(cacheFolder(), "npm");
    mkdirSync(npmCache, { recursive: true });
    runStep({ root, user, folder, environment, npmCache, words: ["sh", "-c", text] });
  }
}
