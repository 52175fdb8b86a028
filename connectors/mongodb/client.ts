import { MongoClient, type MongoClientOptions } from "mongodb";
import { readBrokerAccess } from "../../src/brokers/broker-access.ts";
import { clusterAddress } from "./endpoint.ts";
import type { MongoSettings } from "./settings.ts";

/** What servers show of who is connected. */
const APP_NAME = "millrace";
const ANSWER_MS_MAX = 10_000;
/** A server that says nothing for so long is away: an idle stream answers several times within it. */
export const SILENCE_MS_MAX = 30_000;
const CONNECTIONS_MAX = 10;

/**
 * Reads the secrets. What it gives makes clients, which connect when they are asked. `answerMsMax`: how long one looks
 * for a server. @throws ERR_MILLRACE_CONFIG when a secret cannot be read.
 */
export async function prepareClient(
  { endpoints, logins }: Pick<MongoSettings, "endpoints" | "logins">,
  answerMsMax = ANSWER_MS_MAX,
): Promise<() => MongoClient> {
  const { login, tls } = await readBrokerAccess(logins);
  const { connectionString, hasTls } = clusterAddress(endpoints);
  const options: MongoClientOptions = {
    appName: APP_NAME,
    tls: hasTls,
    ...(hasTls ? { secureContext: tls.secureContext } : {}),
    maxPoolSize: CONNECTIONS_MAX,
    serverSelectionTimeoutMS: answerMsMax,
    connectTimeoutMS: answerMsMax,
    socketTimeoutMS: SILENCE_MS_MAX,
  };
  if (login !== undefined) {
    return () =>
      new MongoClient(connectionString, {
        ...options,
        auth: { username: login.username, password: login.password.reveal() },
      });
  }
  const isX509 = logins.some(({ type }) => type === "CLIENT_CERTIFICATE_TLS_AUTH");
  const mechanism = isX509 ? { authMechanism: "MONGODB-X509" as const } : {};
  return () => new MongoClient(connectionString, { ...options, ...mechanism });
}
