/**
 * The API server of a Kubernetes cluster, as far as the custom resources of millrace need it.
 *
 * Laws:
 * - A call that fails rejects with `ERR_MILLRACE_CLUSTER_UNAVAILABLE`: it may be tried again. One that the server
 *   refuses for good (no such kind, no permission) rejects with `ERR_MILLRACE_CLUSTER_REFUSED`, in the server's words.
 * - `list` shows the objects of one moment.
 * - `watch` tells each change behind `since` in its order, and ends by itself from time to time.
 */
export interface Cluster {
  /** For people: the server's address. */
  readonly description: string;
  list(place: ClusterPlace, signal: AbortSignal): Promise<ClusterList>;
  /** Resolves when the stream has ended: `"gone"`, the changes behind `since` are not kept any more. */
  watch(place: ClusterPlace, watch: ClusterWatch, signal: AbortSignal): Promise<"ended" | "gone">;
  /** Writes the status subresource. `absent`: there is no such object any more. */
  writeStatus(ref: ObjectRef, status: object, signal: AbortSignal): Promise<"written" | "absent">;
  /** Takes effect only on the version that was seen. `stale`: it is another by now, or gone. */
  writeFinalizers(
    ref: ObjectRef,
    finalizers: readonly string[],
    seenVersion: string,
    signal: AbortSignal,
  ): Promise<"written" | "stale">;
  close(): Promise<void>;
}

/** Stands for all namespaces of the cluster, where nothing is written. */
export const EVERY_NAMESPACE = "*";

/** Objects of one kind in one namespace. */
export interface ClusterPlace {
  /** As in paths: `eventsourcemappings`. */
  readonly plural: string;
  readonly namespace: string;
}

export interface ObjectRef extends ClusterPlace {
  readonly name: string;
}

export interface ClusterList {
  readonly objects: readonly ClusterObject[];
  /** Where a watch goes on. */
  readonly version: string;
}

export interface ClusterWatch {
  readonly since: string;
  onChange(change: ClusterChange): void;
}

export interface ClusterChange {
  /** `mark`: nothing but that everything up to its version was told. */
  readonly kind: "put" | "deleted" | "mark";
  readonly object: ClusterObject;
}

/** An object of the API server. What a user wrote in it is not checked beyond the server's schema. */
export interface ClusterObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    /** As the server writes it: RFC 3339. */
    readonly creationTimestamp: string;
    /** It is to be deleted, once nobody holds it back. */
    readonly deletionTimestamp: string | undefined;
    readonly finalizers: readonly string[];
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: unknown;
  readonly status: unknown;
}

/** A Secret or a ConfigMap of a cluster. */
export interface ValuesRef {
  readonly kind: "secret" | "configmap";
  readonly namespace: string;
  readonly name: string;
}

/** What it holds, at one version. Nothing of it is ever shown. */
export interface ClusterValues {
  readonly version: string;
  readonly values: ReadonlyMap<string, Buffer>;
}

/**
 * Laws: `undefined` says that there is none of this name; a call that fails rejects as those of `Cluster`. No error
 * holds any of the values.
 */
export interface ClusterValueReader {
  read(ref: ValuesRef, signal: AbortSignal): Promise<ClusterValues | undefined>;
}
