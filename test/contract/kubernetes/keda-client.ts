import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { type ChannelCredentials, Client, type ClientReadableStream, credentials } from "@grpc/grpc-js";
import protobuf from "protobufjs";

const PROTO = new URL("external-scaler.proto", import.meta.url);
const service = protobuf
  .parse(readFileSync(PROTO, "utf8"), { keepCase: true })
  .root.lookupService("externalscaler.ExternalScaler");

export type Metadata = Readonly<Record<string, string>>;

/** Asks as KEDA's operator does, by its own words for the contract. */
export class KedaClient {
  readonly #client: Client;

  constructor(t: TestContext, address: string, channel: ChannelCredentials = credentials.createInsecure()) {
    this.#client = new Client(address, channel);
    t.after(() => this.#client.close());
  }

  async isActive(scalerMetadata: Metadata): Promise<boolean> {
    const { result } = await this.#call<{ result?: boolean }>("IsActive", refOf(scalerMetadata));
    return result ?? false;
  }

  /** By name, the target of one pod. */
  async specs(scalerMetadata: Metadata): Promise<Readonly<Record<string, number>>> {
    const answer = await this.#call<Specs>("GetMetricSpec", refOf(scalerMetadata));
    return targetsIn(answer);
  }

  async metric(scalerMetadata: Metadata, metricName: string): Promise<number> {
    const request = { scaledObjectRef: refOf(scalerMetadata), metricName };
    const { metricValues = [] } = await this.#call<{
      metricValues?: readonly { metricName: string; metricValueFloat?: number }[];
    }>("GetMetrics", request);
    const found = metricValues.find((each) => each.metricName === metricName);
    return found === undefined ? Number.NaN : (found.metricValueFloat ?? 0);
  }

  /** What is said on the stream, in order. */
  streamActive(scalerMetadata: Metadata): {
    readonly said: boolean[];
    readonly call: ClientReadableStream<object>;
  } {
    const said: boolean[] = [];
    const call = this.#stream("StreamIsActive", refOf(scalerMetadata));
    call.on("data", ({ result }: { result?: boolean }) => said.push(result ?? false));
    call.on("error", () => undefined);
    return { said, call };
  }

  streamSpecs(scalerMetadata: Metadata): Promise<Readonly<Record<string, number>>> {
    const call = this.#stream("StreamMetricSpec", refOf(scalerMetadata));
    return new Promise((resolve, reject) => {
      call.on("error", reject);
      call.on("data", (specs: Specs) => {
        resolve(targetsIn(specs));
        call.cancel();
      });
    });
  }

  #call<Response>(name: string, request: object): Promise<Response> {
    const { path, encode, decode } = methodOf(name);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, encode, decode, request, (error, response) => {
        if (error === null) resolve(response as Response);
        else reject(error);
      });
    });
  }

  #stream(name: string, request: object): ClientReadableStream<object> {
    const { path, encode, decode } = methodOf(name);
    return this.#client.makeServerStreamRequest(path, encode, decode, request);
  }
}

interface Specs {
  readonly metricSpecs?: readonly { metricName: string; targetSizeFloat?: number }[];
}

function targetsIn({ metricSpecs = [] }: Specs): Readonly<Record<string, number>> {
  return Object.fromEntries(
    metricSpecs.map(({ metricName, targetSizeFloat = 0 }) => [metricName, targetSizeFloat]),
  );
}

function refOf(scalerMetadata: Metadata): object {
  return { name: "millrace", namespace: "shop", scalerMetadata };
}

function methodOf(name: string) {
  const method = service.methods[name];
  if (method === undefined) throw new Error(`the contract has no ${name}`);
  method.resolve();
  const { resolvedRequestType, resolvedResponseType } = method;
  return {
    path: `/externalscaler.ExternalScaler/${name}`,
    encode: (message: object): Buffer =>
      Buffer.from(resolvedRequestType?.encode(resolvedRequestType.fromObject(message)).finish() ?? []),
    decode: (bytes: Buffer): object =>
      resolvedResponseType?.toObject(resolvedResponseType.decode(bytes)) ?? {},
  };
}
