/** How the function's time is dealt out over those whose messages a queue has (decision 0075). */
export interface TenantSettings {
  /** Where a message names its tenant: a JSON pointer (RFC 6901) into what a filter pattern sees of it. */
  readonly by: string;
  /** By tenant, 1…100: so many times the time of one that is not named here. */
  readonly weights: Readonly<Record<string, number>>;
  /** A batch has messages of one tenant alone. */
  readonly batchPerTenant: boolean;
}
