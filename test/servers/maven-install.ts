import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";

/** A server whose jars are on Maven Central. */
export interface MavenServer {
  /** For messages: `DynamoDB Local`. */
  readonly name: string;
  /** The folder in the cache; names the version, so that a new one is fetched. */
  readonly folder: string;
  /** `group:artifact:version`, fetched with all that they depend on. */
  readonly artifacts: readonly string[];
  /** For jars that are archives of something else: gets a folder with what is in them, before others see it. */
  readonly unpack?: (folder: string) => Promise<void>;
  /**
   * How to name a server that runs already, for people without Java: `MILLRACE_TEST_DYNAMODB_ENDPOINT=http://…`.
   * `undefined`: the tests stop and restart it, so it has to be their own.
   */
  readonly alternative: string | undefined;
}

const PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1";
const INSTALL_TIMEOUT_MS = 300_000;

/** The folder with the server's jars; fetched the first time, into the user's cache and never into the checkout. */
export async function installFromMaven(server: MavenServer): Promise<string> {
  const cache = cacheFolder();
  const folder = join(cache, server.folder);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, "installing-"));
  try {
    const pom = join(staging, "pom.xml");
    const jars = join(staging, "lib");
    await writeFile(pom, projectOf(server));
    const goal = `${PLUGIN}:${server.unpack === undefined ? "copy" : "unpack"}-dependencies`;
    await runMaven(server, ["-q", "-B", "-f", pom, goal, `-DoutputDirectory=${jars}`]);
    await server.unpack?.(jars);
    await rename(jars, folder).catch((error: unknown) => {
      // Another process was faster.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return folder;
}

function projectOf(server: MavenServer): string {
  const dependencies = server.artifacts.map((coordinates) => {
    const [group, artifact, version] = coordinates.split(":");
    return `    <dependency>
      <groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>
    </dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.millrace</groupId><artifactId>test-server</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join("\n")}
  </dependencies>
</project>
`;
}

function runMaven(server: MavenServer, words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("mvn", words, { stdio: ["ignore", "pipe", "pipe"], timeout: INSTALL_TIMEOUT_MS });
    let output = "";
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ENOENT" ? mavenIsMissing(server) : error),
    );
    child.on("close", (status) => {
      if (status === 0) resolve();
      else reject(new Error(`Maven could not fetch ${server.name} (status ${status}):\n${output}`));
    });
  });
}

/** Maven comes with a Java. */
function mavenIsMissing({ name, alternative }: MavenServer): Error {
  const instead =
    alternative === undefined ? "" : `, or start ${name} by deploy/compose.yaml and name it: ${alternative}`;
  return new Error(
    `${name} needs \`mvn\` and \`java\`, which are not on the PATH. Install Maven and Java 17 or newer (Debian: ` +
      `\`apt-get install openjdk-17-jre-headless maven\`)${instead}.`,
  );
}
