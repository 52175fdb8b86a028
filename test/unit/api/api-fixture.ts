import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { readCredentials } from "../../../src/api/access-credentials.ts";
import type { ApiServerOptions } from "../../../src/api/server.ts";
import type { ControlPlane } from "../../../src/control/control-plane.ts";
import type { LogFields } from "../../../src/ports/telemetry.ts";
import { createSystemClock } from "../../../src/system/clock.ts";
import { folderWith } from "../manifests/manifest-samples.ts";

export const READ_TOKEN = "read-token-read-token-read-token-1";
export const WRITE_TOKEN = "write-token-write-token-write-token";
export const WRITE_KEY = {
  accessKeyId: "AKIAWRITEWRITEWRITE1",
  secretAccessKey: "write-secret-write-secret-write-1",
};
export const READ_KEY = {
  accessKeyId: "AKIAREADREADREADREAD",
  secretAccessKey: "read-secret-read-secret-read-secret",
};

export const CREDENTIALS = `tokens:
  - { name: reader, role: read, token: ${READ_TOKEN} }
  - { name: writer, role: write, tokenEnv: WRITE_TOKEN }
keys:
  - { name: signer, role: write, accessKeyId: ${WRITE_KEY.accessKeyId}, secretAccessKey: ${WRITE_KEY.secretAccessKey} }
  - { name: looker, role: read, accessKeyId: ${READ_KEY.accessKeyId}, secretAccessKey: ${READ_KEY.secretAccessKey} }
`;

export function testCredentials(t: TestContext) {
  const folder = folderWith(t, {});
  const path = join(folder, "credentials.yaml");
  writeFileSync(path, CREDENTIALS);
  return readCredentials(path, { WRITE_TOKEN });
}

export interface AuditLine {
  readonly message: string;
  readonly fields: LogFields;
}

/** A server on a loopback address that nobody needs credentials for, unless they are given. */
export function apiOptions(
  plane: ControlPlane | undefined,
  options: Partial<ApiServerOptions> = {},
  lines: AuditLine[] = [],
): ApiServerOptions {
  return {
    address: { host: "127.0.0.1", port: 0 },
    version: "1.2.3",
    status: async () => [],
    metricsText: async () => "",
    metricsContentType: "text/plain",
    control: () => plane,
    clock: createSystemClock(),
    requestId: randomUUID,
    log: (_level, message, fields) => void lines.push({ message, fields }),
    credentials: undefined,
    hosts: [],
    isMetricsElsewhere: false,
    ...options,
  };
}
