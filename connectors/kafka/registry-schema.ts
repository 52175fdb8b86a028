export type DataFormat = "AVRO" | "PROTOBUF" | "JSON";

/** A schema as its registry gives it, with all that it refers to, each behind what it refers to itself. */
export interface RegistrySchema {
  readonly dataFormat: DataFormat;
  readonly text: string;
  readonly references: readonly { readonly name: string; readonly text: string }[];
}
