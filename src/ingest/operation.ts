import type { Place } from "../model/place.ts";
import type { WireMembers } from "./wire-members.ts";

/** One call of a producer, whoever it was found to be. */
export interface ProducerCall {
  readonly members: WireMembers;
  /** `http://HOST:PORT`, as the caller reaches this server. */
  readonly origin: string;
  /** Stands in ARNs and addresses that are answered. */
  readonly place: Place;
}

/** `undefined`: an empty answer. */
export type Operation = (call: ProducerCall) => Promise<object | undefined>;
