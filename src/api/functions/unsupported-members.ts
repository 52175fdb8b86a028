import { invalid } from "../../control/functions/function-faults.ts";

type Body = Readonly<Record<string, unknown>>;

interface Unsupported {
  /** AWS's tools send members that say nothing: those are no wish. */
  readonly saysNothing: (value: unknown, fn: string) => boolean;
  /** What to do in its place. */
  readonly instead: string;
}

const NOTHING_IN_FOLDER =
  "A function runs in the network and with the files of its host: it needs none of this here.";

/** Members of CreateFunction and UpdateFunctionConfiguration that cannot be done here: refused, never dropped. */
const UNSUPPORTED: Readonly<Record<string, Unsupported>> = {
  Layers: {
    saysNothing: isEmptyDeep,
    instead:
      "Layers by ARN are not served. Put the layer's files into the function's zip, or declare the function in a manifest, whose layers are folders and zips in their order.",
  },
  VpcConfig: { saysNothing: isEmptyDeep, instead: NOTHING_IN_FOLDER },
  FileSystemConfigs: { saysNothing: isEmptyDeep, instead: NOTHING_IN_FOLDER },
  ImageConfig: { saysNothing: isEmptyDeep, instead: "Container images are not served: give a zip." },
  KMSKeyArn: {
    saysNothing: isEmptyDeep,
    instead: "Variables are kept in the store as they are: encrypt its disk or its database.",
  },
  CodeSigningConfigArn: { saysNothing: isEmptyDeep, instead: "Check signatures before the code is sent." },
  SnapStart: {
    saysNothing: (value) => isEmptyDeep(value) || memberOf(value, "ApplyOn") === "None",
    instead: "Use provisioned concurrency for environments that are ready before the first call.",
  },
  LoggingConfig: {
    saysNothing: (value, fn) => {
      const group = memberOf(value, "LogGroup");
      const format = memberOf(value, "LogFormat");
      const isOwnGroup = group === undefined || group === null || group === `/aws/lambda/${fn}`;
      return isEmptyDeep(value) || ((format === undefined || format === "Text") && isOwnGroup);
    },
    instead: "What a function prints goes to millrace's own output, as it is: leave the format at Text.",
  },
  DurableConfig: { saysNothing: isEmptyDeep, instead: "Durable functions are not served." },
  TenancyConfig: { saysNothing: isEmptyDeep, instead: "Give each tenant a function of its own." },
  CapacityProviderConfig: { saysNothing: isEmptyDeep, instead: "Functions run on millrace's own hosts." },
  PublishTo: { saysNothing: isEmptyDeep, instead: "Publish by PublishVersion." },
};

/** @throws ControlFault for what says something that cannot be done here */
export function checkUnsupported(body: Body, fn: string): void {
  if (body["PackageType"] !== undefined && body["PackageType"] !== null && body["PackageType"] !== "Zip") {
    throw invalid(
      "PackageType Image is not supported by millrace. Give a zip (PackageType Zip), or run the image beside millrace and call it by http.",
    );
  }
  for (const [member, { saysNothing, instead }] of Object.entries(UNSUPPORTED)) {
    const value = body[member];
    if (value === undefined || value === null || saysNothing(value, fn)) continue;
    throw invalid(`${member} is not supported by millrace. ${instead}`);
  }
}

function isEmptyDeep(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  if (typeof value !== "object") return false;
  return Object.values(value).every(isEmptyDeep);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
