/** The environment variable in which processes that share one address have a secret in common, new at each start. */
export const GROUP_SECRET = "MILLRACE_GROUP_SECRET";
