import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

const VERSION = "2.6.1";
const PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
const INSTALL_TIMEOUT_MS = 300_000;

/**
 * The folder with DynamoDB Local's jars and native libraries; fetched from Maven Central the first time (51 MB), into
 * the user's cache and never into the checkout: its licence allows use for tests, and forbids passing it on.
 */
export async function installDynamodbLocal(): Promise<string> {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "millrace");
  const folder = join(cache, `dynamodb-local-${VERSION}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, "installing-"));
  try {
    await writeFile(join(staging, "pom.xml"), POM);
    const jars = join(staging, "lib");
    await runMaven(["-q", "-B", "-f", join(staging, "pom.xml"), PLUGIN, `-DoutputDirectory=${jars}`]);
    await rename(jars, folder).catch((error: unknown) => {
      // Another process was faster.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return folder;
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.millrace</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

function runMaven(words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("mvn", words, { stdio: ["ignore", "pipe", "pipe"], timeout: INSTALL_TIMEOUT_MS });
    let output = "";
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ENOENT" ? mavenIsMissing() : error),
    );
    child.on("close", (status) => {
      if (status === 0) resolve();
      else reject(new Error(`Maven could not fetch DynamoDB Local (status ${status}):\n${output}`));
    });
  });
}

/** Maven comes with a Java. */
function mavenIsMissing(): Error {
  return new Error(
    "DynamoDB Local needs `mvn` and `java`, which are not on the PATH. Install Maven and Java 17 or newer (Debian: " +
      "`apt-get install openjdk-17-jre-headless maven`), or start DynamoDB Local by deploy/compose.yaml and name it: " +
      "MILLRACE_TEST_DYNAMODB_ENDPOINT=http://127.0.0.1:8000",
  );
}
