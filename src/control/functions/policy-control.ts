import { z } from "zod";
import { functionArn } from "../../manifests/function-name.ts";
import type { ResourceDocument } from "../../resources/document.ts";
import { ControlFault } from "../control-fault.ts";
import { conflict, invalid, noFunction } from "./function-faults.ts";
import { LATEST } from "./function-view.ts";
import type { FunctionWriter } from "./function-writer.ts";
import { type KeptFunction, type KeptRow, revisionIdOf } from "./kept-functions.ts";

/** As AWS shows one. */
const statement = z.object({ Sid: z.string() }).loose();
export type PolicyStatement = Readonly<z.output<typeof statement>>;

export interface Policy {
  readonly statements: readonly PolicyStatement[];
  readonly revisionId: string;
}

/** AWS's bound on a policy's text. */
const POLICY_CHARS_MAX = 20_480;

/**
 * Who may invoke a function, a version or an alias, as tools write it. It is stored and shown, and not enforced: who
 * may call what is a matter of the credentials of the API and of routes.
 * @throws ControlFault in AWS's words
 */
export class PolicyControl {
  readonly #writer: FunctionWriter;

  constructor(writer: FunctionWriter) {
    this.#writer = writer;
  }

  async get(name: string, qualifier: string | undefined): Promise<Policy> {
    const { row, document } = this.#part(await this.#writer.kept(name, qualifier), qualifier);
    const statements = statementsOf(document);
    if (statements.length === 0) throw nothing("The resource you requested does not exist.");
    return { statements, revisionId: revisionIdOf(row) };
  }

  /** `statementOf` is given the ARN that the statement is about. Resolves to what was added. */
  async add(
    name: string,
    qualifier: string | undefined,
    statementOf: (functionArn: string) => PolicyStatement,
    revisionId: string | undefined,
  ): Promise<PolicyStatement> {
    if (qualifier === LATEST) throw invalid("We currently do not support adding policies for $LATEST.");
    const arn = functionArn({ name, qualifier }, this.#writer.options.place);
    const added = statementOf(arn);
    await this.#change(name, qualifier, revisionId, (before) => {
      if (before.some(({ Sid }) => Sid === added.Sid)) {
        throw conflict(
          `The statement id (${added.Sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
        );
      }
      const after = [...before, added];
      const { length } = policyText(after);
      if (length <= POLICY_CHARS_MAX) return after;
      const text = `The final policy size (${length}) is bigger than the limit (${POLICY_CHARS_MAX}).`;
      throw new ControlFault("PolicyLengthExceededException", text);
    });
    return added;
  }

  async remove(
    name: string,
    qualifier: string | undefined,
    sid: string,
    revisionId: string | undefined,
  ): Promise<void> {
    await this.#change(name, qualifier, revisionId, (before) => {
      if (before.length === 0) throw nothing("No policy is associated with the given resource.");
      const after = before.filter(({ Sid }) => Sid !== sid);
      if (after.length === before.length) throw nothing(`Statement ${sid} is not found in resource policy.`);
      return after;
    });
  }

  /** Nothing of what runs is changed, and nothing of what may be published. */
  async #change(
    name: string,
    qualifier: string | undefined,
    revisionId: string | undefined,
    change: (before: readonly PolicyStatement[]) => readonly PolicyStatement[],
  ): Promise<void> {
    const part = (fn: KeptFunction) => this.#part(fn, qualifier);
    await this.#writer.change(name, part, revisionId, (document) => {
      const { policy: _before, ...members } = document.members ?? {};
      const after = change(statementsOf(document));
      return { ...document, members: { ...members, ...(after.length === 0 ? {} : { policy: [...after] }) } };
    });
  }

  #part(fn: KeptFunction, qualifier: string | undefined): KeptRow {
    if (qualifier === undefined || qualifier === LATEST) return fn;
    const part = fn.versions.get(qualifier) ?? fn.aliases.get(qualifier);
    if (part === undefined) throw noFunction(fn.name, qualifier, this.#writer.options.place);
    return part;
  }
}

/** The document that AWS answers as text. */
export function policyText(statements: readonly PolicyStatement[]): string {
  return JSON.stringify({ Version: "2012-10-17", Id: "default", Statement: statements });
}

const policyMember = z.object({ policy: z.array(statement).readonly() });

function statementsOf({ members = {} }: Pick<ResourceDocument, "members">): readonly PolicyStatement[] {
  return policyMember.safeParse(members).data?.policy ?? [];
}

function nothing(message: string): ControlFault {
  return new ControlFault("ResourceNotFoundException", message);
}
