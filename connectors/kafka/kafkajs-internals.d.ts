/**
 * The parts of kafkajs below its consumer that this folder uses (decision 0013). The package has no types for them; its
 * version is pinned exactly, so they stand still.
 */
declare module "kafkajs/src/network/connection.js" {
  import type { Socket } from "node:net";

  export interface ProtocolRequest {
    readonly request: {
      readonly apiKey: number;
      readonly apiVersion: number;
      /** Requests that we encode ourselves have them; kafkajs's too. */
      readonly apiName?: string;
      encode?(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
    };
    readonly response: {
      decode(payload: Buffer): Promise<unknown>;
      parse(decoded: unknown): Promise<unknown>;
    };
    readonly requestTimeout?: number;
    readonly logResponseError?: boolean;
  }

  export interface InternalLogger {
    info(message: string, extra?: object): void;
    error(message: string, extra?: object): void;
    warn(message: string, extra?: object): void;
    debug(message: string, extra?: object): void;
    namespace(name: string): InternalLogger;
    setLogLevel(level: number): void;
  }

  export interface ConnectionOptions {
    readonly host: string;
    readonly port: number;
    readonly clientId: string;
    readonly logger: InternalLogger;
    readonly socketFactory: (options: { readonly onConnect: () => void }) => Socket;
    readonly ssl: object | null;
    readonly sasl: object | null;
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly enforceRequestTimeout: boolean;
  }

  export type ApiVersions = Readonly<
    Record<number, { readonly minVersion: number; readonly maxVersion: number }>
  >;

  export default class Connection {
    readonly requestQueue: {
      readonly pending: readonly unknown[];
      scheduleCheckPendingRequests(): void;
    };
    /** Milliseconds, a `Long`: of the last login, as the broker gave it; 0: it does not end. */
    readonly sessionLifetime: { toString(): string };
    /** How long before its end a session is renewed, by the next request. */
    reauthenticationThreshold: number;
    /** A step of SASL that waits for its answer. */
    readonly authHandlers: object | null;
    /** The answer has a frame. */
    readonly authExpectResponse: boolean;
    processData(piece: Buffer): void;
    constructor(options: ConnectionOptions);
    connect(): Promise<true>;
    disconnect(): Promise<true>;
    setVersions(versions: ApiVersions): void;
    setSupportAuthenticationProtocol(isSupported: boolean): void;
    authenticate(): Promise<void>;
    send(request: ProtocolRequest): Promise<unknown>;
    rejectRequests(error: Error): void;
  }
}

declare module "kafkajs/src/protocol/requests/index.js" {
  import type { ProtocolRequest } from "kafkajs/src/network/connection.js";

  export interface RequestDefinition {
    readonly versions: readonly string[];
    protocol(options: { readonly version: number }): (args: object) => ProtocolRequest;
  }
  const definitions: { readonly requests: Readonly<Record<string, RequestDefinition>> };
  export default definitions;
}

declare module "kafkajs/src/protocol/requests/apiKeys.js" {
  const apiKeys: Readonly<Record<string, number>>;
  export default apiKeys;
}

declare module "kafkajs/src/protocol/error.js" {
  const protocol: {
    readonly errorCodes: readonly {
      readonly type: string;
      readonly code: number;
      readonly message: string;
    }[];
  };
  export default protocol;
}
