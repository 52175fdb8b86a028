/**
 * Where connections may go to that a caller of the API asked for, and not the operator. Private networks are the normal
 * place of a broker and allowed; link-local addresses, where clouds keep their metadata, never are.
 */
export interface NetworkReach {
  /** Only where the API itself listens on loopback: its callers are on this machine then. */
  readonly allowsLoopback: boolean;
  /**
   * Narrows it further: names (`broker.internal`, `*.broker.internal`), addresses and blocks (`10.0.0.0/8`). A
   * connection must be to one of the names, or to an address that is listed. Absent: all that is allowed otherwise.
   */
  readonly hosts?: readonly string[];
}
