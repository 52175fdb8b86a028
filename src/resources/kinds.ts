/**
 * Kinds of the store's rows. A mapping's row is named by its UUID; versions and aliases are named `FUNCTION:QUALIFIER`.
 */
export const MAPPING_KIND = "mapping";
export const FUNCTION_KIND = "function";
export const VERSION_KIND = "version";
export const ALIAS_KIND = "alias";
/** What stays of a deleted function: the last number that a version of it had. It is named as the function was. */
export const FORMER_FUNCTION_KIND = "formerFunction";

/** Environments that a version, or that of an alias, keeps ready; named as those are. */
export const PROVISIONED_KIND = "provisioned";

/** How asynchronous events of a qualifier are retried and told of; named as that is. */
export const INVOKE_CONFIG_KIND = "invokeConfig";

/** Named `GROUP/NAME`. */
export const SCHEDULE_KIND = "schedule";
/** Groups of schedules that the API made. */
export const SCHEDULE_GROUP_KIND = "scheduleGroup";
/** Named `BUS/NAME`. */
export const RULE_KIND = "rule";

/** What has ticks, or takes events. */
export const TIMED_KINDS: readonly string[] = [SCHEDULE_KIND, RULE_KIND];

/** What a function is made of. */
export const FUNCTION_KINDS: readonly string[] = [
  ...[FUNCTION_KIND, VERSION_KIND, ALIAS_KIND],
  ...[PROVISIONED_KIND, INVOKE_CONFIG_KIND],
];

/** A way from an HTTP request to a function; that of a function URL is named by the first label of its host. */
export const ROUTE_KIND = "route";

/** All that is declared, by manifests or the API. */
export const DECLARED_KINDS: readonly string[] = [
  ...[FUNCTION_KIND, VERSION_KIND, ALIAS_KIND, INVOKE_CONFIG_KIND],
  ...[MAPPING_KIND, ROUTE_KIND, ...TIMED_KINDS],
];
