import { MillraceError } from "../../src/model/errors.ts";
import type { StreamConnector } from "../../src/ports/connector.ts";
import { FILTER_DATA_KEY } from "./event.ts";
import { KIND, openLocalSource } from "./source.ts";
import { ARN_SERVICE, parseStreamArn } from "./stream-arn.ts";

const FILE_ENDPOINT = "LOCAL_FILE";

/** Streams in an embedded SQLite file: for trying things out, for tests, and for a single host's own durable stream. */
export const localConnector: StreamConnector = {
  kind: KIND,
  offers: "stream",
  arnService: ARN_SERVICE,
  arnResourcePrefix: "stream/",
  filterDataKey: FILTER_DATA_KEY,
  startingPositions: ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"],
  endpointNames: [FILE_ENDPOINT],
  async openStream(mapping, endpoints) {
    const paths = endpoints[FILE_ENDPOINT] ?? [];
    const [path] = paths;
    if (path === undefined || paths.length > 1) {
      throw new MillraceError(
        "ERR_MILLRACE_CONFIG",
        `The mapping "${mapping.name}" reads a local stream: its endpoints.${FILE_ENDPOINT} must hold exactly one path, ` +
          `not ${paths.length}.`,
      );
    }
    return openLocalSource(path, parseStreamArn(mapping.eventSourceArn));
  },
};
