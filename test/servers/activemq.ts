import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import type { Connection } from "rhea";
import { connectAny, type RheaOptions } from "../../connectors/activemq/rhea-connection.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { SHORT_LIVED } from "./java-options.ts";
import { installFromMaven } from "./maven-install.ts";
import { freePort, type ServerProcess, startServerProcess } from "./server-process.ts";

const VERSION = "6.3.1";
const SPRING = "6.2.11";
const MAIN_CLASS = "org.apache.activemq.console.command.ShellCommand";

/** A canary as well: what tests must never find in a log or an error. */
export const ACTIVEMQ_USER = "millrace";
export const ACTIVEMQ_PASSWORD = "pass:word/with@signs";
/** May neither make nor read a queue. */
export const ACTIVEMQ_STRANGER = "stranger";

const TLS = join(import.meta.dirname, "../fixtures/tls");

export interface ActivemqServer {
  /** `amqp://127.0.0.1:PORT`, without a login. */
  readonly endpoint: string;
  readonly tlsEndpoint: string;
  options(user?: string, password?: string): RheaOptions;
  /** A connection of the test's own. */
  connect(): Promise<Connection>;
  /** A crash: persistent messages are there at the next start. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** The next start finds no queue and no message. */
  forget(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  close(): Promise<void>;
}

/** ActiveMQ Classic on free loopback ports, with its messages in a folder of its own. */
export async function startActivemq(): Promise<ActivemqServer> {
  const jars = await installFromMaven({
    name: "ActiveMQ",
    folder: `activemq-${VERSION}`,
    artifacts: [
      ...["broker", "amqp", "kahadb-store", "spring", "console", "jaas"].map(
        (part) => `org.apache.activemq:activemq-${part}:${VERSION}`,
      ),
      `org.springframework:spring-context:${SPRING}`,
    ],
    alternative: undefined,
  });
  const folder = await mkdtemp(join(tmpdir(), "millrace-activemq-"));
  const [port, tlsPort] = await Promise.all([freePort(), freePort()]);
  makeKeyStore(folder);
  await writeFile(join(folder, "broker.xml"), brokerXml(folder, port, tlsPort));
  const endpoint = `amqp://127.0.0.1:${port}`;
  const options = (username = ACTIVEMQ_USER, password = ACTIVEMQ_PASSWORD): RheaOptions => ({
    endpoints: [endpoint],
    access: {
      login: { username, password: new Secret(password) },
      tls: { secureContext: createSecureContext(), minVersion: "TLSv1.2" },
    },
    place: "test queue",
  });
  const start = () =>
    startServerProcess({
      name: "ActiveMQ",
      program: "java",
      args: [
        "-Xmx512m",
        ...SHORT_LIVED,
        "-cp",
        `${jars}/*`,
        MAIN_CLASS,
        "start",
        `xbean:file:${join(folder, "broker.xml")}`,
      ],
      endpoint,
      readyMsMax: 120_000,
      isReady: async () => {
        (await connectAny(options())).close();
        return true;
      },
    });
  let server: ServerProcess = await start();
  return {
    endpoint,
    tlsEndpoint: `amqps://localhost:${tlsPort}`,
    options,
    connect: () => connectAny(options()),
    kill: () => server.end("SIGKILL"),
    start: async () => {
      server = await start();
    },
    forget: () => rm(join(folder, "data"), { recursive: true, force: true }),
    signal: (name) => server.signal(name),
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Java reads no PEM files. */
function makeKeyStore(folder: string): void {
  const files = ["-inkey", join(TLS, "server.key"), "-in", join(TLS, "server.crt")];
  const words = ["pkcs12", "-export", ...files, "-out", join(folder, "server.p12")];
  execFileSync("openssl", [...words, "-passout", "pass:millrace"]);
}

function brokerXml(folder: string, port: number, tlsPort: number): string {
  const data = join(folder, "data");
  const schemas = [
    ["http://www.springframework.org/schema/beans", "spring-beans.xsd"],
    ["http://activemq.apache.org/schema/core", "activemq-core.xsd"],
  ].map(([space, file]) => `${space} ${space}/${file}`);
  return `<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="${schemas.join(" ")}">
<broker xmlns="http://activemq.apache.org/schema/core" brokerName="millrace" dataDirectory="${data}" useJmx="false"
  advisorySupport="false">
  <persistenceAdapter><kahaDB directory="${data}/kahadb" preallocationScope="none"/></persistenceAdapter>
  <sslContext><sslContext keyStore="file:${join(folder, "server.p12")}" keyStoreType="PKCS12"
    keyStorePassword="millrace"/></sslContext>
  <plugins>
    <simpleAuthenticationPlugin><users>
      <authenticationUser username="${ACTIVEMQ_USER}" password="${ACTIVEMQ_PASSWORD}" groups="users"/>
      <authenticationUser username="${ACTIVEMQ_STRANGER}" password="${ACTIVEMQ_PASSWORD}" groups="strangers"/>
    </users></simpleAuthenticationPlugin>
    <authorizationPlugin><map><authorizationMap><authorizationEntries>
      <authorizationEntry queue="&gt;" read="users" write="users" admin="users"/>
    </authorizationEntries></authorizationMap></map></authorizationPlugin>
  </plugins>
  <transportConnectors>
    <transportConnector name="amqp" uri="amqp://127.0.0.1:${port}"/>
    <transportConnector name="amqps" uri="amqp+ssl://127.0.0.1:${tlsPort}"/>
  </transportConnectors>
</broker>
</beans>
`;
}
