import { ControlFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { invalid } from "../control/functions/function-faults.ts";
import type { RolloutView } from "../control/rollouts/rollout-control.ts";
import { readAppSpec } from "../manifests/app-spec.ts";
import { ALARMS_DEFAULT, MINIMUM_INVOCATIONS_DEFAULT, planOf } from "../model/rollout.ts";
import type { TargetOperations } from "./target-operations.ts";

type Body = Readonly<Record<string, unknown>>;

const PLAN_DEFAULT = "CodeDeployDefault.LambdaAllAtOnce";

/** CodeDeploy's operations on functions, so that hooks and pipelines find what they call. */
export function codeDeployOperations(control: () => ControlPlane): TargetOperations {
  const operations: TargetOperations = {
    CreateDeployment: {
      role: "write",
      isChange: true,
      handle: async (body) => ({ deploymentId: (await createDeployment(body, control())).id }),
    },
    GetDeployment: {
      role: "read",
      handle: async (body) => ({
        deploymentInfo: infoOf(await known(control(), textOf(body, "deploymentId"))),
      }),
    },
    ListDeployments: {
      role: "read",
      handle: async () => ({ deployments: (await control().rollouts.list()).map(({ id }) => id) }),
    },
    StopDeployment: {
      role: "write",
      isChange: true,
      async handle(body) {
        const { id, status } = await known(control(), textOf(body, "deploymentId"));
        if (status !== "InProgress") {
          throw new ControlFault(
            "DeploymentAlreadyCompletedException",
            `The deployment ${id} has already completed.`,
          );
        }
        await control().rollouts.stop(id);
        return { status: "Succeeded", statusMessage: "No more traffic goes to the new version." };
      },
    },
    PutLifecycleEventHookExecutionStatus: {
      role: "write",
      isChange: true,
      async handle(body) {
        const { id } = await known(control(), textOf(body, "deploymentId"));
        const execution = textOf(body, "lifecycleEventHookExecutionId");
        const { status } = body;
        if (status !== "Succeeded" && status !== "Failed")
          throw invalid("status is to be Succeeded or Failed.");
        await control().rollouts.hookEnded(id, execution, status);
        return { lifecycleEventHookExecutionId: execution };
      },
    },
  };
  return Object.fromEntries(
    Object.entries(operations).map(([name, each]) => [`CodeDeploy_20141006.${name}`, each]),
  );
}

async function createDeployment(body: Body, control: ControlPlane): Promise<RolloutView> {
  const spec = readAppSpec(contentOf(body));
  if (typeof spec === "string") throw refused(`The AppSpec cannot be read. ${spec}.`);
  const name = body["deploymentConfigName"] ?? PLAN_DEFAULT;
  const plan = typeof name === "string" ? planOf(name) : undefined;
  if (plan === undefined) {
    throw new ControlFault(
      "DeploymentConfigDoesNotExistException",
      `No deployment configuration found for name: ${String(name).slice(0, 100)}`,
    );
  }
  const { functionName, alias, from, to, hooks } = spec;
  const standing = await control.functionControls.aliases.get(functionName, alias);
  if (from !== undefined && from !== standing.version) {
    throw refused(
      `The alias ${alias} stands for version ${standing.version}, and not for CurrentVersion ${from}.`,
    );
  }
  return await control.rollouts.start(functionName, alias, to, {
    plan,
    hooks,
    alarms: ALARMS_DEFAULT,
    minimumInvocations: MINIMUM_INVOCATIONS_DEFAULT,
    requireTraffic: false,
  });
}

/** `String` is the older word for AppSpecContent. */
function contentOf({ revision }: Body): string {
  const { appSpecContent, string } = Object(revision) as Body;
  const content: unknown = (Object(appSpecContent ?? string) as Body)["content"];
  if (typeof content === "string") return content;
  throw refused(
    "revision is to be an AppSpecContent with its content: AppSpecs in S3 or GitHub are not read.",
  );
}

async function known(control: ControlPlane, id: string): Promise<RolloutView> {
  const found = (await control.rollouts.list()).find((each) => each.id === id);
  if (found !== undefined) return found;
  const message = `The deployment ${id.slice(0, 80)} could not be found`;
  throw new ControlFault("DeploymentDoesNotExistException", message);
}

/** Times are epoch seconds in this protocol. */
function infoOf({ id, fn, alias, status, startedMs, endedMs, reason }: RolloutView): Body {
  return {
    deploymentId: id,
    applicationName: fn,
    deploymentGroupName: alias,
    computePlatform: "Lambda",
    status,
    createTime: startedMs / 1_000,
    ...(endedMs === undefined ? {} : { completeTime: endedMs / 1_000 }),
    ...(status === "Failed" ? { errorInformation: { code: "HEALTH_CONSTRAINTS", message: reason } } : {}),
    ...(status === "Failed" || status === "Stopped" ? { rollbackInfo: { rollbackMessage: reason } } : {}),
  };
}

function refused(message: string): ControlFault {
  return new ControlFault("InvalidRevisionException", message);
}

function textOf(body: Body, name: string): string {
  const value = body[name];
  if (typeof value === "string" && value !== "") return value;
  throw invalid(`${name} is missing.`);
}
