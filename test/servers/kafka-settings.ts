import type { KafkaCertificates } from "./kafka-certificates.ts";

/**
 * `PLAINTEXT` needs nothing; `TLS` a CA; `MTLS` also a client certificate; `SASL_SSL` a CA and a user (KAFKA_USERS).
 */
export type KafkaListener = "PLAINTEXT" | "TLS" | "MTLS" | "SASL_SSL";

export interface KafkaBrokerPorts {
  readonly controller: number;
  readonly listeners: ReadonlyMap<KafkaListener, number>;
}

/** Known by SASL PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 alike. `nobody` may do nothing. */
export const KAFKA_USERS = [
  { username: "reader", password: "reader-secret" },
  { username: "nobody", password: "nobody-secret" },
] as const;

const PROTOCOLS: Readonly<Record<KafkaListener, string>> = {
  PLAINTEXT: "PLAINTEXT",
  TLS: "SSL",
  MTLS: "SSL",
  SASL_SSL: "SASL_SSL",
};

/** `server.properties` of a node that is broker and controller in one. */
export function brokerProperties(
  index: number,
  nodes: readonly KafkaBrokerPorts[],
  logFolder: string,
  certificates: KafkaCertificates | undefined,
  overrides: Readonly<Record<string, string>>,
): string {
  const own = nodes[index];
  if (own === undefined) throw new Error(`no broker ${index}`);
  const addresses = [...own.listeners].map(([name, port]) => `${name}://127.0.0.1:${port}`);
  const protocols = [...own.listeners.keys()].map((name) => `${name}:${PROTOCOLS[name]}`);
  const settings: Record<string, string | number> = {
    "process.roles": "broker,controller",
    "node.id": index + 1,
    "controller.quorum.voters": nodes
      .map(({ controller }, node) => `${node + 1}@127.0.0.1:${controller}`)
      .join(","),
    "controller.listener.names": "CONTROLLER",
    listeners: [...addresses, `CONTROLLER://127.0.0.1:${own.controller}`].join(","),
    "advertised.listeners": addresses.join(","),
    "listener.security.protocol.map": [...protocols, "CONTROLLER:PLAINTEXT"].join(","),
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": logFolder,
    ...SMALL,
    ...replication(nodes.length),
    ...(certificates === undefined ? {} : security(certificates)),
    ...overrides,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** Little memory, and housekeeping within a test's patience. */
const SMALL = {
  "auto.create.topics.enable": "false",
  "num.network.threads": 2,
  "num.io.threads": 4,
  "num.recovery.threads.per.data.dir": 1,
  "group.initial.rebalance.delay.ms": 0,
  "group.min.session.timeout.ms": 1_000,
  "offsets.topic.num.partitions": 3,
  "transaction.state.log.num.partitions": 1,
  "log.cleaner.dedupe.buffer.size": 2_097_152,
  "log.cleaner.backoff.ms": 200,
  "log.initial.task.delay.ms": 200,
  "log.retention.check.interval.ms": 500,
  "log.segment.delete.delay.ms": 100,
  "log.flush.offset.checkpoint.interval.ms": 1_000,
  "broker.heartbeat.interval.ms": 500,
  "broker.session.timeout.ms": 3_000,
  "controlled.shutdown.enable": "true",
};

function replication(brokers: number): Readonly<Record<string, number>> {
  return {
    "default.replication.factor": brokers,
    "offsets.topic.replication.factor": brokers,
    "transaction.state.log.replication.factor": brokers,
    "transaction.state.log.min.isr": 1,
    "min.insync.replicas": 1,
  };
}

/** The listener without a user is everything's owner; users may do what an ACL allows them. */
function security({ keyStoreFile, trustStoreFile }: KafkaCertificates): Readonly<Record<string, string>> {
  const plainUsers = KAFKA_USERS.map(({ username, password }) => `user_${username}="${password}"`).join(" ");
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  return {
    "listener.name.sasl_ssl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
    "listener.name.sasl_ssl.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required ${plainUsers};`,
    "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": scram,
    "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": scram,
    // Believes any token that has not ended, whoever signed it.
    "listener.name.sasl_ssl.oauthbearer.sasl.jaas.config":
      "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
    "listener.name.sasl_ssl.oauthbearer.connections.max.reauth.ms": "3000",
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": keyStoreFile,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": trustStoreFile,
    "listener.name.mtls.ssl.client.auth": "required",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS;User:reader;User:CN=client",
  };
}
