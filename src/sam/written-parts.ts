/** A function's `spec`, as a row or a manifest has it. */
export type FunctionSpec = Readonly<Record<string, unknown>>;

/** What a template cannot say, and of which resource. */
export interface TemplateRemark {
  readonly kind: string;
  readonly name: string;
  readonly message: string;
}

export interface WrittenFunction {
  readonly properties: Readonly<Record<string, unknown>>;
  /** Resources that say what no property of the function does, by what their logical names end in. */
  readonly beside: readonly (readonly [suffix: string, resource: object])[];
  /** Fields that are left out. */
  readonly unsaid: readonly string[];
  /** The alias that SAM publishes to, which events of the function go to. */
  readonly published: string | undefined;
}

/** References to what stands beside the function. */
export interface References {
  readonly layer: (path: string) => object;
  readonly secret: (variable: string) => object;
  /** Takes a resource that says how a rollout goes. */
  readonly plan: (resource: object) => object;
  readonly self: object;
}
