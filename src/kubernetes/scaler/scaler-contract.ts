import type { MethodDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import protobuf from "protobufjs";

/** Names and numbers of KEDA's external scaler (kedacore/keda, `externalscaler.proto`): both sides go by them alone. */
const MESSAGES = {
  ScaledObjectRef: {
    fields: {
      name: { type: "string", id: 1 },
      namespace: { type: "string", id: 2 },
      scalerMetadata: { keyType: "string", type: "string", id: 3 },
    },
  },
  IsActiveResponse: { fields: { result: { type: "bool", id: 1 } } },
  MetricSpec: {
    fields: {
      metricName: { type: "string", id: 1 },
      targetSize: { type: "int64", id: 2 },
      targetSizeFloat: { type: "double", id: 3 },
    },
  },
  GetMetricSpecResponse: { fields: { metricSpecs: { rule: "repeated", type: "MetricSpec", id: 1 } } },
  GetMetricsRequest: {
    fields: {
      scaledObjectRef: { type: "ScaledObjectRef", id: 1 },
      metricName: { type: "string", id: 2 },
    },
  },
  MetricValue: {
    fields: {
      metricName: { type: "string", id: 1 },
      metricValue: { type: "int64", id: 2 },
      metricValueFloat: { type: "double", id: 3 },
    },
  },
  GetMetricsResponse: { fields: { metricValues: { rule: "repeated", type: "MetricValue", id: 1 } } },
} as const;

const root = protobuf.Root.fromJSON({ nested: { externalscaler: { nested: MESSAGES } } });

export interface ScaledObjectRef {
  readonly name: string;
  readonly namespace: string;
  readonly scalerMetadata: Readonly<Record<string, string>>;
}

export interface IsActiveResponse {
  readonly result: boolean;
}

/** The whole numbers are for versions of KEDA that know no others. */
export interface GetMetricSpecResponse {
  readonly metricSpecs: readonly {
    readonly metricName: string;
    readonly targetSize: number;
    readonly targetSizeFloat: number;
  }[];
}

export interface GetMetricsRequest {
  readonly scaledObjectRef: ScaledObjectRef | null;
  readonly metricName: string;
}

export interface GetMetricsResponse {
  readonly metricValues: readonly {
    readonly metricName: string;
    readonly metricValue: number;
    readonly metricValueFloat: number;
  }[];
}

/** As a gRPC server takes it. */
export const EXTERNAL_SCALER = {
  IsActive: method<ScaledObjectRef, IsActiveResponse>("IsActive", "ScaledObjectRef", "IsActiveResponse"),
  StreamIsActive: method<ScaledObjectRef, IsActiveResponse>(
    "StreamIsActive",
    "ScaledObjectRef",
    "IsActiveResponse",
    true,
  ),
  GetMetricSpec: method<ScaledObjectRef, GetMetricSpecResponse>(
    "GetMetricSpec",
    "ScaledObjectRef",
    "GetMetricSpecResponse",
  ),
  StreamMetricSpec: method<ScaledObjectRef, GetMetricSpecResponse>(
    "StreamMetricSpec",
    "ScaledObjectRef",
    "GetMetricSpecResponse",
    true,
  ),
  GetMetrics: method<GetMetricsRequest, GetMetricsResponse>(
    "GetMetrics",
    "GetMetricsRequest",
    "GetMetricsResponse",
  ),
} as const satisfies Record<keyof UntypedServiceImplementation, unknown>;

function method<Request extends object, Response extends object>(
  name: string,
  request: string,
  response: string,
  responseStream = false,
): MethodDefinition<Request, Response> {
  const [asked, answered] = [codecOf<Request>(request), codecOf<Response>(response)];
  return {
    path: `/externalscaler.ExternalScaler/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: asked.encode,
    requestDeserialize: asked.decode,
    responseSerialize: answered.encode,
    responseDeserialize: answered.decode,
  };
}

function codecOf<Message extends object>(name: string) {
  const type = root.lookupType(`externalscaler.${name}`);
  return {
    encode: (message: Message): Buffer => Buffer.from(type.encode(type.fromObject(message)).finish()),
    decode: (bytes: Buffer): Message =>
      type.toObject(type.decode(bytes), {
        defaults: true,
        arrays: true,
        objects: true,
        longs: Number,
      }) as Message,
  };
}
