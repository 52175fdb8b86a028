import { RESERVED_VARIABLES } from "../model/reserved-variables.ts";
import { propertyOf, type TemplateContext } from "./context.ts";
import { causeText } from "./remarks.ts";
import type { StackResource } from "./stack-resources.ts";
import { list, type MapValue, map, scalar, type TemplateValue, textOf } from "./template-value.ts";

export interface FunctionEnvironment {
  readonly environment?: MapValue;
  readonly inheritEnvironment?: TemplateValue;
}

/** Names that millrace's own environment may have. */
const INHERITABLE = /^(?!MILLRACE_)[A-Za-z_][A-Za-z0-9_]{0,254}$/;

/** Variables of a function. Secrets stand by their names alone: the process of millrace has them, and no manifest. */
export function functionEnvironment(
  { name }: Pick<StackResource, "name">,
  properties: TemplateValue | undefined,
  context: TemplateContext,
): FunctionEnvironment {
  const variables = propertyOf(context, properties, "Environment", "Variables");
  if (variables?.kind !== "map") return {};
  const texts: [string, TemplateValue][] = [];
  const secrets: TemplateValue[] = [];
  const { findings } = context;
  const field = `${name}.Environment`;
  for (const [variable, { key, value }] of variables.entries) {
    if (RESERVED_VARIABLES.includes(variable)) {
      findings.remark(
        key,
        field,
        `Millrace sets ${variable} itself`,
        "Take it out of the template, or give it another name",
      );
    } else if (isSecret(value)) {
      if (INHERITABLE.test(variable)) secrets.push(scalar(variable, key));
      else
        findings.remark(
          key,
          field,
          `${variable} is a secret, and no name of a variable here`,
          "Give it another name",
        );
    } else if (value.kind === "unknown") {
      const cause = causeText(value.cause);
      if (cause !== undefined)
        findings.remark(key, field, `${variable} is left out: ${cause.message}`, cause.remedy);
    } else {
      const text = value.kind === "scalar" ? (textOf(value) ?? "") : undefined;
      if (text !== undefined) texts.push([variable, scalar(text, value.place)]);
      else findings.fault(value.place, `The variable ${variable} is no text`, "Give a text");
    }
  }
  const [first] = secrets;
  if (first !== undefined) {
    const names = secrets.map(textOf).join(", ");
    const message = `${names}: secrets stand by their names alone`;
    findings.remark(first.place, field, message, "Give them in the environment of millrace");
  }
  return {
    ...(texts.length === 0 ? {} : { environment: map(texts, variables.place) }),
    ...(first === undefined ? {} : { inheritEnvironment: list(secrets, first.place) }),
  };
}

function isSecret(value: TemplateValue): boolean {
  return (
    (value.kind === "scalar" && value.isSecret === true) ||
    (value.kind === "unknown" && value.cause.kind === "secret")
  );
}
