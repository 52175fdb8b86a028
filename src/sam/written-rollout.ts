import { DEPLOYMENT_CONFIG } from "./deployment-preference.ts";

export interface WrittenPreference {
  readonly properties: Readonly<Record<string, unknown>>;
  /** Fields that are left out. */
  readonly unsaid: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/** What a declared rollout says besides, unless anything is said. */
const DEFAULTS: Fields = { minimumInvocations: 20, requireTraffic: false };

/**
 * The fields of an alias that is published, as SAM's `DeploymentPreference`. `plan` takes a resource that says a plan
 * of one's own, and answers with what names it.
 */
export function deploymentPreference(
  { publish: _said, rollout, ...others }: Fields,
  plan: (resource: object) => object,
): WrittenPreference {
  const { type = "AllAtOnce", hooks, ...rest } = fieldsOf(rollout);
  const { before, after } = fieldsOf(hooks);
  const unsaid = [
    ...Object.keys(others),
    ...Object.entries(rest).flatMap(([field, value]) =>
      value === DEFAULTS[field] ? [] : [`rollout.${field}`],
    ),
  ];
  const functions = {
    ...(before === undefined ? {} : { PreTraffic: before }),
    ...(after === undefined ? {} : { PostTraffic: after }),
  };
  const named = {
    Type: typeof type === "string" ? type : plan(planOf(type)),
    ...(Object.keys(functions).length === 0 ? {} : { Hooks: functions }),
  };
  return { properties: named, unsaid };
}

function planOf(plan: unknown): object {
  const { kind, percent, minutes } = fieldsOf(plan);
  const [form, prefix] = kind === "canary" ? ["TimeBasedCanary", "Canary"] : ["TimeBasedLinear", "Linear"];
  const routing =
    kind === "allAtOnce"
      ? { Type: "AllAtOnce" }
      : { Type: form, [form]: { [`${prefix}Percentage`]: percent, [`${prefix}Interval`]: minutes } };
  return {
    Type: DEPLOYMENT_CONFIG,
    Properties: { ComputePlatform: "Lambda", TrafficRoutingConfig: routing },
  };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
