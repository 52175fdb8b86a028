import { delimiter } from "node:path";
import { pathToFileURL } from "node:url";
import type { Connector } from "../src/ports/connector.ts";
import type { DestinationKind } from "../src/ports/destination-kind.ts";
import type { FunctionTargetKind } from "../src/ports/function-target-kind.ts";
import { activemqConnector } from "./activemq/connector.ts";
import { dynamodbStreamsConnector } from "./dynamodb-streams/connector.ts";
import { kafkaConnector } from "./kafka/connector.ts";
import { kinesisConnector } from "./kinesis/connector.ts";
import { localConnector, localQueueConnector } from "./local/connector.ts";
import { mongoConnector } from "./mongodb/connector.ts";
import { rabbitConnector } from "./rabbitmq/connector.ts";
import { sqsConnector } from "./sqs/connector.ts";

/** The only list of connectors. */
export const CONNECTORS: readonly Connector[] = [
  activemqConnector,
  dynamodbStreamsConnector,
  kafkaConnector,
  kinesisConnector,
  localConnector,
  localQueueConnector,
  mongoConnector,
  rabbitConnector,
  sqsConnector,
];

/** The environment variable that names modules of the operator's own. */
const MODULES = "MILLRACE_CONNECTORS";

/** What a process knows besides what is built in. */
export interface Extensions {
  readonly connectors: readonly Connector[];
  /** Kinds of failure destinations. */
  readonly destinations: readonly DestinationKind[];
  readonly targets: readonly FunctionTargetKind[];
}

/**
 * The connectors of this process: those of the list, and those that modules of the operator export as `CONNECTORS`; and
 * kinds of failure destinations (`DESTINATIONS`) and of function targets (`TARGETS`) that they export. The variable
 * holds absolute paths, with the system's delimiter of paths between them.
 * @throws Error that names the module, when it cannot be loaded or exports none of the three.
 */
export async function loadExtensions(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Extensions> {
  const paths = (environment[MODULES] ?? "").split(delimiter).filter((path) => path !== "");
  const brought = await Promise.all(paths.map(extensionsOf));
  if (brought.length === 0) return { connectors: CONNECTORS, destinations: [], targets: [] };
  return {
    connectors: distinct([...CONNECTORS, ...brought.flatMap(({ connectors }) => connectors)]),
    destinations: brought.flatMap(({ destinations }) => destinations),
    targets: brought.flatMap(({ targets }) => targets),
  };
}

async function extensionsOf(path: string): Promise<Extensions> {
  let module: { readonly CONNECTORS?: unknown; readonly DESTINATIONS?: unknown; readonly TARGETS?: unknown };
  try {
    module = await import(pathToFileURL(path).href);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The module ${path}, which ${MODULES} names, cannot be loaded: ${reason}`, { cause });
  }
  const { CONNECTORS: connectors = [], DESTINATIONS: destinations = [], TARGETS: targets = [] } = module;
  const areLists = Array.isArray(connectors) && Array.isArray(destinations) && Array.isArray(targets);
  if (areLists && connectors.length + destinations.length + targets.length > 0)
    return { connectors, destinations, targets };
  throw new Error(
    `The module ${path}, which ${MODULES} names, exports no list CONNECTORS, DESTINATIONS or TARGETS.`,
  );
}

/** Metrics and mappings tell connectors by their kinds. */
function distinct(connectors: readonly Connector[]): readonly Connector[] {
  const kinds = connectors.map(({ kind }) => kind);
  const double = kinds.find((kind, index) => kinds.indexOf(kind) !== index);
  if (double === undefined) return connectors;
  throw new Error(`Two connectors have the kind ${double}. Rename the one that ${MODULES} brings.`);
}
