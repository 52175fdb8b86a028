import type { FastifyInstance } from "fastify";
import { validationFault } from "../../control/control-fault.ts";
import type { ControlPlane } from "../../control/control-plane.ts";
import { invalid } from "../../control/functions/function-faults.ts";
import { type PolicyStatement, policyText } from "../../control/functions/policy-control.ts";
import { noteSubject } from "../guard.ts";
import { addRoute, jsonOf, paramOf, queryOf } from "../route.ts";
import { requestedName } from "./function-name.ts";
import { Members } from "./members.ts";

const URL = "/2015-03-31/functions/:name/policy";

/** Lambda's operations on policies of functions, which are stored and shown. */
export function addPolicyRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  const policies = () => control().functionControls.policies;
  addRoute(app, {
    method: "GET",
    url: URL,
    role: "read",
    async handle(request) {
      const { name, qualifier } = requestedName(request);
      const { statements, revisionId } = await policies().get(name, qualifier);
      return { Policy: policyText(statements), RevisionId: revisionId };
    },
  });
  addRoute(app, {
    method: "POST",
    url: URL,
    role: "write",
    action: "AddPermission",
    async handle(request, reply) {
      const { name, qualifier } = requestedName(request);
      noteSubject(request, { function: name });
      const members = new Members(jsonOf(request));
      const statementOf = readStatement(members);
      const revisionId = members.text("RevisionId") || undefined;
      const added = await policies().add(name, qualifier, statementOf, revisionId);
      return reply.code(201).send({ Statement: JSON.stringify(added) });
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: `${URL}/:sid`,
    role: "write",
    action: "RemovePermission",
    async handle(request, reply) {
      const { name, qualifier } = requestedName(request);
      noteSubject(request, { function: name });
      const sid = paramOf(request, "sid");
      if (!STATEMENT_ID.test(sid)) throw validationFault([patternFault("statementId", sid, SID_PATTERN)]);
      await policies().remove(name, qualifier, sid, queryOf(request, "RevisionId"));
      return reply.code(204).send();
    },
  });
}

const SID_PATTERN = "([a-zA-Z0-9-_]+)";
const STATEMENT_ID = /^[a-zA-Z0-9_-]{1,100}$/;
const ACTION_PATTERN = "(lambda:[*]|lambda:[a-zA-Z]+|[*])";
const ACTION = /^(?:lambda:[*]|lambda:[a-zA-Z]+|[*])$/;
const TEXT_CHARS_MAX = 1_024;
const SHOWN_CHARS_MAX = 140;

/** @throws ControlFault ValidationException, InvalidParameterValueException */
function readStatement(members: Members): (functionArn: string) => PolicyStatement {
  const sid = required(members, "StatementId");
  const action = required(members, "Action");
  const principal = required(members, "Principal");
  if (sid !== "" && !STATEMENT_ID.test(sid)) refuse(members, "statementId", sid, SID_PATTERN);
  if (action !== "" && !ACTION.test(action)) refuse(members, "action", action, ACTION_PATTERN);
  const condition = conditionOf(members);
  members.check();
  const shown = principalOf(principal);
  return (functionArn) => ({
    Sid: sid,
    Effect: "Allow",
    Principal: shown,
    Action: action,
    Resource: functionArn,
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  });
}

function required(members: Members, name: string): string {
  const text = members.text(name, TEXT_CHARS_MAX);
  if (text === undefined)
    members.constraint(`${name.slice(0, 1).toLowerCase()}${name.slice(1)}`, null, "Member must not be null");
  return text ?? "";
}

function conditionOf(members: Members): Record<string, Record<string, string>> {
  const invoked = members.flag("InvokedViaFunctionUrl");
  const equal = {
    "lambda:FunctionUrlAuthType": members.oneOf("FunctionUrlAuthType", ["NONE", "AWS_IAM"]),
    "aws:PrincipalOrgID": members.text("PrincipalOrgID", TEXT_CHARS_MAX),
    "AWS:SourceAccount": members.text("SourceAccount", TEXT_CHARS_MAX),
    "lambda:EventSourceToken": members.text("EventSourceToken", TEXT_CHARS_MAX),
  };
  const given = Object.entries(equal).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, value]],
  );
  const source = members.text("SourceArn", TEXT_CHARS_MAX);
  return {
    ...(given.length === 0 ? {} : { StringEquals: Object.fromEntries(given) }),
    ...(invoked ? { Bool: { "lambda:InvokedViaFunctionUrl": "true" } } : {}),
    ...(source === undefined ? {} : { ArnLike: { "AWS:SourceArn": source } }),
  };
}

/** A service, an account, a user or role, or everybody. @throws ControlFault */
function principalOf(text: string): string | Readonly<Record<string, string>> {
  if (text === "*") return text;
  if (/^[a-z0-9.-]+\.amazon(?:aws)?\.com(?:\.cn)?$/.test(text)) return { Service: text };
  if (/^\d{12}$/.test(text)) return { AWS: `arn:aws:iam::${text}:root` };
  if (/^arn:aws[a-z-]*:(?:iam|sts):/.test(text)) return { AWS: text };
  throw invalid("The provided principal was invalid. Please check the principal and try again.");
}

function refuse(members: Members, field: string, value: string, pattern: string): void {
  members.constraint(field, value, `Member must satisfy regular expression pattern: ${pattern}`);
}

function patternFault(field: string, value: string, pattern: string): string {
  const constraint = `Member must satisfy regular expression pattern: ${pattern}`;
  return `Value '${value.slice(0, SHOWN_CHARS_MAX)}' at '${field}' failed to satisfy constraint: ${constraint}`;
}
