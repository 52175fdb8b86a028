import type { Connector } from "../src/ports/connector.ts";
import { localConnector } from "./local/connector.ts";

/** The only list of connectors. */
export const CONNECTORS: readonly Connector[] = [localConnector];
