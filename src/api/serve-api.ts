import type { Random } from "../ports/random.ts";
import { readCredentials } from "./access-credentials.ts";
import { groupSecretOf } from "./page/page-access.ts";
import { type ApiServerOptions, isAddressTaken, startApiServer, startMetricsServer } from "./server.ts";
import { isLoopback, parseServerAddress, type ServerAddress } from "./server-address.ts";

/** Where the API is served, and to whom: what flags say. */
interface WantedPlace {
  /** HOST:PORT, or `off`. */
  readonly address: string;
  readonly credentialsFile: string | undefined;
  readonly hosts: readonly string[];
  /** Takes a free port where that of `address` is taken. */
  readonly isAnyPort?: boolean;
  readonly metricsAddress: string | undefined;
  /** The page at `/`. */
  readonly isPageShown: boolean;
}

type ServedContent = Pick<
  ApiServerOptions,
  "version" | "status" | "metricsText" | "metricsContentType" | "control" | "embedded" | "signedPush" | "log"
>;

interface ServingOptions extends Pick<ApiServerOptions, "clock"> {
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

interface ServedApi {
  readonly url: string | undefined;
  readonly metricsUrl: string | undefined;
  close(): Promise<void>;
}

/**
 * Serves what is wanted at one address or two; `undefined`: nothing is.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export async function serveApi(
  { address, credentialsFile, hosts, metricsAddress, isPageShown, isAnyPort = false }: WantedPlace,
  content: ServedContent,
  { clock, random, environment }: ServingOptions,
): Promise<ServedApi | undefined> {
  const credentials =
    credentialsFile === undefined ? undefined : readCredentials(credentialsFile, environment);
  const api = parseServerAddress(address, credentials !== undefined);
  const metrics = metricsAddress === undefined ? undefined : parseServerAddress(metricsAddress, true);
  const groupSecret = groupSecretOf(environment);
  const shared = {
    ...content,
    credentials,
    hosts,
    isPageShown,
    groupSecret,
    clock,
    requestId: () => random.uuid(),
  };
  for (const open of [api, metrics]) {
    if (open === undefined || isLoopback(open.host)) continue;
    const message = "served without TLS beyond this machine: let a proxy with TLS alone reach it";
    content.log("warn", message, { address: `${open.host}:${open.port}` });
  }
  const isMetricsElsewhere = metrics !== undefined;
  const serve = (at: ServerAddress) => startApiServer({ ...shared, address: at, isMetricsElsewhere });
  const served = api && (isAnyPort ? await orAnyPort(serve, api) : await serve(api));
  try {
    const other = metrics && (await startMetricsServer({ ...shared, address: metrics, isMetricsElsewhere }));
    if (served === undefined && other === undefined) return undefined;
    const close = async () => void (await Promise.all([served?.close(), other?.close()]));
    return { url: served?.url, metricsUrl: other?.url, close };
  } catch (error) {
    await served?.close();
    throw error;
  }
}

async function orAnyPort<T>(serve: (at: ServerAddress) => Promise<T>, address: ServerAddress): Promise<T> {
  try {
    return await serve(address);
  } catch (error) {
    if (!isAddressTaken(error)) throw error;
    return await serve({ ...address, port: 0 });
  }
}
