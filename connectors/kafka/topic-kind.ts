import { MillraceError } from "../../src/model/errors.ts";
import type { FaultTexts, SpecFault, WrittenMapping } from "../../src/ports/connector-parameters.ts";
import type { DestinationKind } from "../../src/ports/destination-kind.ts";
import { ACCESS_TEXTS, checkAccess } from "./access-checks.ts";
import { isServer } from "./checks.ts";
import { openCluster } from "./open-cluster.ts";
import { kafkaSettings, type SourceAccess } from "./settings.ts";
import { TOPIC_NAME } from "./topic-address.ts";

/** A topic of any cluster, and how that is reached. */
interface ClusterTopic {
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  readonly access: readonly SourceAccess[];
}

const FORM = "kafka://HOST:PORT/TOPIC";
const ADDRESS = /^kafka:\/\/([^/?#]*)\/([^/?#]*)(?:\?(.*))?$/s;

/** What is said of a login, of which no rule of a mapping's own speaks. */
const TEXTS: FaultTexts = {
  ...ACCESS_TEXTS,
  accessUri: ({ facts }) => ({
    message: `${facts?.["type"]} does not say where its secret stands`,
    remedy: "",
  }),
  secretReference: ({ facts }) => ({ message: String(facts?.["problem"]), remedy: "" }),
};

/**
 * `kafka://HOST:PORT[,HOST:PORT]/TOPIC[?TYPE=URI&…]`, beyond AWS, whose asynchronous events know no cluster. Types and
 * URIs are those of `sourceAccessConfigurations` (kafka §6), with their meaning: none is plain text, with any of them
 * the brokers' certificates are verified. A secret itself never stands in it.
 */
export const topicKind: DestinationKind = {
  form: FORM,
  description: "A topic of a Kafka cluster gets the record as a message.",
  read(text, folder) {
    if (!text.startsWith("kafka://")) return undefined;
    const read = readTopic(text, folder);
    return typeof read === "string"
      ? { kind: "problem", problem: read }
      : { kind: "place", uri: addressOf(read) };
  },
  async open(uri) {
    const read = readTopic(uri, "/");
    if (typeof read === "string")
      throw new MillraceError(
        "ERR_MILLRACE_CONFIG",
        `A destination cannot be opened. ${read}. Give ${FORM}.`,
      );
    const [cluster, { createMessageDestination }] = await Promise.all([
      openCluster({ ...read, eventSourceArn: undefined }),
      import("./destination.ts"),
    ]);
    return createMessageDestination({ cluster, topic: read.topic });
  },
};

/** A text: what is wrong. */
function readTopic(text: string, folder: string): ClusterTopic | string {
  const [, servers = "", topic = "", query = ""] = ADDRESS.exec(text) ?? [];
  const bootstrapServers = servers.split(",");
  if (servers === "" || topic === "") return "The text names no brokers or no topic";
  if (!bootstrapServers.every(isServer))
    return "What stands before the topic is no address of a broker: HOST:PORT, several with commas between them, without a login";
  if (!TOPIC_NAME.test(topic)) return "The text is not the name of a topic";
  const entries = [...new URLSearchParams(query)].map(([type, uri]) => ({
    type,
    ...(uri === "" ? {} : { uri }),
  }));
  const problem = problemOf(entries, folder);
  if (problem !== undefined) return problem;
  const own = { sourceAccessConfigurations: entries };
  const { access } = kafkaSettings({ uuid: "" }, { own, folder });
  return { bootstrapServers, topic, access };
}

/** By the rules of a mapping's login. */
function problemOf(entries: readonly object[], folder: string): string | undefined {
  const faults: SpecFault[] = [];
  const written: WrittenMapping = {
    folder,
    raw: (_field, ...path) =>
      path.reduce<unknown>((value, name) => Reflect.get(Object(value), name), entries),
  };
  checkAccess(written, true, (fault) => faults.push(fault));
  const [fault] = faults;
  if (fault === undefined) return undefined;
  const { message, remedy } = TEXTS[fault.rule]?.(fault) ?? { message: fault.rule, remedy: "" };
  return remedy === "" ? message : `${message}. ${remedy}`;
}

function addressOf({ bootstrapServers, topic, access }: ClusterTopic): string {
  const query = access.map(({ type, uri }) => `${type}=${escaped(uri)}`).join("&");
  return `kafka://${bootstrapServers.join(",")}/${topic}${query === "" ? "" : `?${query}`}`;
}

function escaped(uri: string): string {
  return encodeURIComponent(uri).replaceAll("%3A", ":").replaceAll("%2F", "/");
}
