import { delimiter } from "node:path";
import { pathToFileURL } from "node:url";
import type { Connector } from "../src/ports/connector.ts";
import { dynamodbStreamsConnector } from "./dynamodb-streams/connector.ts";
import { kafkaConnector } from "./kafka/connector.ts";
import { kinesisConnector } from "./kinesis/connector.ts";
import { localConnector, localQueueConnector } from "./local/connector.ts";
import { sqsConnector } from "./sqs/connector.ts";

/** The only list of connectors. */
export const CONNECTORS: readonly Connector[] = [
  dynamodbStreamsConnector,
  kafkaConnector,
  kinesisConnector,
  localConnector,
  localQueueConnector,
  sqsConnector,
];

/** The environment variable that names modules with connectors of the operator's own. */
const MODULES = "MILLRACE_CONNECTORS";

/**
 * The connectors of this process: those of the list, and those that modules of the operator export as `CONNECTORS`. The
 * variable holds absolute paths, with the system's delimiter of paths between them.
 * @throws Error that names the module, when it cannot be loaded or exports none.
 */
export async function loadConnectors(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly Connector[]> {
  const paths = (environment[MODULES] ?? "").split(delimiter).filter((path) => path !== "");
  if (paths.length === 0) return CONNECTORS;
  const brought = await Promise.all(paths.map(connectorsOf));
  return distinct([...CONNECTORS, ...brought.flat()]);
}

async function connectorsOf(path: string): Promise<readonly Connector[]> {
  let module: { readonly CONNECTORS?: unknown };
  try {
    module = await import(pathToFileURL(path).href);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The module ${path}, which ${MODULES} names, cannot be loaded: ${reason}`, { cause });
  }
  const { CONNECTORS: brought } = module;
  if (Array.isArray(brought) && brought.length > 0) return brought;
  throw new Error(`The module ${path}, which ${MODULES} names, exports no list CONNECTORS.`);
}

/** Metrics and mappings tell connectors by their kinds. */
function distinct(connectors: readonly Connector[]): readonly Connector[] {
  const kinds = connectors.map(({ kind }) => kind);
  const double = kinds.find((kind, index) => kinds.indexOf(kind) !== index);
  if (double === undefined) return connectors;
  throw new Error(`Two connectors have the kind ${double}. Rename the one that ${MODULES} brings.`);
}
