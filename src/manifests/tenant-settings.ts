import type { TenantSettings } from "../model/tenant-settings.ts";
import type { MappingSpec } from "./mapping-schema.ts";

/** Where messages of AWS's queues name their group. */
const GROUP_POINTER = "/attributes/MessageGroupId";

/** A mapping's `tenant` with its defaults filled in. */
export function tenantSettings({
  by,
  weights = {},
  batchPerTenant,
}: NonNullable<MappingSpec["tenant"]>): TenantSettings {
  return { by: by === "messageGroupId" ? GROUP_POINTER : by, weights, batchPerTenant };
}
