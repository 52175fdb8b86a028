import rhea, { type Connection, type ConnectionOptions, type EventContext } from "rhea";
import type { BrokerAccess } from "../../src/brokers/broker-access.ts";
import { inTime } from "../../src/brokers/in-time.ts";
import { amqpFault } from "./amqp-fault.ts";

export interface RheaOptions {
  readonly endpoints: readonly string[];
  readonly access: BrokerAccess;
  /** The queue and its broker, in messages. */
  readonly place: string;
}

/** Nothing from the broker for twice as long ends the connection. */
const IDLE_MS = 30_000;
const PORTS = { "amqps:": 5671, "amqp:": 5672 };
/**
 * Deliveries from the oldest that is not settled to the newest, at most: behind them the client would read nothing. The
 * largest batch, as often as batches may run at once, and what waits.
 */
export const UNSETTLED_SPAN_MAX = 131_072;

/** The brokers in turn, from a different one each time: of a pair only the active one answers. */
export async function connectAny(options: RheaOptions): Promise<Connection> {
  const { endpoints, access, place } = options;
  let failure: unknown = new Error("no endpoint is given");
  const first = turn++;
  for (let index = 0; index < endpoints.length; index++) {
    const endpoint = endpoints[(first + index) % endpoints.length] ?? "";
    try {
      return await connectOne(new URL(endpoint), access);
    } catch (error) {
      failure = amqpFault(error, place, "login");
    }
  }
  throw failure;
}

let turn = 0;

async function connectOne(url: URL, access: BrokerAccess): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  const container = rhea.create_container();
  // Told by the connection's own events, too; without a listener one would end the process.
  container.on("error", reject);
  const connection = container.connect(connectionOptions(url, access));
  connection.on("connection_open", () => resolve(connection));
  connection.on("connection_error", ({ error }: EventContext) => reject(error));
  connection.on("protocol_error", reject);
  connection.on("error", reject);
  connection.on("connection_close", () => undefined);
  connection.on("disconnected", ({ error }: EventContext) =>
    reject(error ?? new Error("the connection was closed")),
  );
  try {
    return await inTime(promise);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function connectionOptions(url: URL, { login, tls }: BrokerAccess): ConnectionOptions {
  const isTls = url.protocol === "amqps:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || PORTS[isTls ? "amqps:" : "amqp:"]);
  const credentials =
    login === undefined ? {} : { username: login.username, password: login.password.reveal() };
  const shared = {
    host,
    port,
    ...credentials,
    // The engine's back-off and reasons hold for all sources.
    reconnect: false as const,
    idle_time_out: IDLE_MS,
    tcp_no_delay: true,
  };
  if (!isTls) return { ...shared, transport: "tcp" };
  return {
    ...shared,
    ...tls,
    servername: host,
    transport: "tls",
    ...(login === undefined ? { enable_sasl_external: true } : {}),
  };
}
