import { readCredentials } from "../api/access-credentials.ts";
import { isLoopback, parseServerAddress } from "../api/server-address.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { LogFields, LogLevel } from "../ports/telemetry.ts";
import type { ProducerServer, ProducerServerOptions } from "./producer-server.ts";

interface WantedProducers extends Pick<ProducerServerOptions, "embedded" | "place" | "hosts"> {
  /** HOST:PORT; `undefined` or `off`: producers are not served. */
  readonly sourcesAddress?: string | undefined;
  /** The API's: their callers with the role `send` may. */
  readonly credentialsFile: string | undefined;
  readonly log: (level: LogLevel, message: string, fields: LogFields) => void;
}

interface ProducerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The server is loaded only where producers are served. @throws MillraceError ERR_MILLRACE_CONFIG */
export async function serveProducers(
  { sourcesAddress, credentialsFile, embedded, place, hosts, log }: WantedProducers,
  { clock, random, environment }: ProducerPorts,
): Promise<ProducerServer | undefined> {
  if (sourcesAddress === undefined) return undefined;
  const credentials =
    credentialsFile === undefined ? undefined : readCredentials(credentialsFile, environment);
  const address = parseServerAddress(sourcesAddress, credentials !== undefined);
  if (address === undefined) return undefined;
  if (!isLoopback(address.host)) {
    const message = "served without TLS beyond this machine: let a proxy with TLS alone reach it";
    log("warn", message, { address: `${address.host}:${address.port}` });
  }
  const { startProducerServer } = await import("./producer-server.ts");
  const requestId = () => random.uuid();
  return await startProducerServer({ address, embedded, place, credentials, hosts, clock, requestId });
}
