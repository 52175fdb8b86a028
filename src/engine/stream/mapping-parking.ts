import type { ParkedKeySettings } from "../../model/mapping.ts";
import type { ParkedKeyStore } from "../../ports/parked-keys.ts";
import type { ParkingGuard } from "./parking-guard.ts";

/** What the shards of a mapping share of its parked keys. */
export interface MappingParking extends ParkedKeySettings {
  readonly store: ParkedKeyStore;
  readonly guard: ParkingGuard;
}
