/**
 * The shape of a field as JSON Schema (draft 7) says it. Manifests are checked by it, the published schema and the
 * settings reference show it, and remedies are made from it, so that they cannot contradict it.
 */
export interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly additionalProperties?: FieldSchema | boolean;
  readonly items?: FieldSchema;
  readonly anyOf?: readonly FieldSchema[];
  readonly oneOf?: readonly FieldSchema[];
  readonly required?: readonly string[];
  readonly default?: unknown;
  /**
   * The text says where a secret stands: `file:PATH`, `env:NAME` or the ARN of a secret. No message shows it, since a
   * person may have written the secret itself, and callers of the API name secrets by ARNs only.
   */
  readonly "x-millrace-secret"?: true;
}
