import type { Envelope } from "./envelope.ts";
import type { FailureCause } from "./function-error.ts";
import type { Position } from "./record.ts";

/** Why records were given up (streams §5.7); the last one only of Kafka (kafka §4). */
export type FailureCondition = "RetryAttemptsExhausted" | "RecordAgeExceeded" | "MaximumPayloadSizeExceeded";

/** A discarded batch, on its way to the failure destination (streams §5.7). Times are epoch milliseconds. */
export interface FailureRecord {
  /** The same for every delivery of the same discard: destinations use it to drop repeats. */
  readonly id: string;
  readonly mappingUuid: string;
  readonly requestId: string;
  readonly functionArn: string;
  readonly condition: FailureCondition;
  readonly approximateInvokeCount: number;
  /**
   * `undefined` when the function gave no answer to show (age exceeded, payload too large);
   * `functionError: null` after partial or malformed responses.
   */
  readonly response: { readonly functionError: string | null; readonly executedVersion?: string } | undefined;
  /** The last failure of the batch; `undefined`: its function did not fail. AWS's documents have no place for it. */
  readonly error?: FailureCause | undefined;
  readonly timestampMs: number;
  readonly batch: FailedBatch;
  /** The event that the function got, or would have got; destinations that carry payloads (S3, file) add it. */
  readonly payload: Uint8Array | undefined;
  readonly window: FailedWindow | undefined;
}

/** Name of the batch's member in the document; the last one has a form of its own (kafka §5). */
export type BatchInfoName = "KinesisBatchInfo" | "DDBStreamBatchInfo" | "KafkaBatchInfo";

export interface FailedBatch {
  readonly infoName: BatchInfoName;
  readonly shardId: string;
  /** `undefined`: a self-managed cluster. */
  readonly eventSourceArn: string | undefined;
  /** Kafka alone has them. */
  readonly bootstrapServers: string | undefined;
  /** Kinesis shows arrival times with milliseconds, DynamoDB in whole seconds. */
  readonly arrivalPrecision: "milliseconds" | "seconds";
  /** `undefined` for a final tumbling-window invocation, which has no records. */
  readonly records:
    | {
        /** As functions see them: the records' item identifiers. */
        readonly startPosition: Position;
        readonly endPosition: Position;
        /** As the source gave them: `undefined` or beyond any date, then documents leave them out. */
        readonly firstArrivalMs: number | undefined;
        readonly lastArrivalMs: number | undefined;
        readonly count: number;
      }
    | undefined;
}

export interface FailedWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly isFinalInvokeForWindow: boolean;
  readonly isWindowTerminatedEarly: boolean;
}

export interface FailureEnvelope extends Envelope {
  readonly failure: FailureRecord;
}

/**
 * Named by AWS's rule for S3: `aws/lambda/<ESM-UUID>/<shardID>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS`, in UTC (streams §5.7).
 */
export function failureEnvelope(failure: FailureRecord): FailureEnvelope {
  const time = isoTime(failure.timestampMs).slice(0, 19);
  const day = time.slice(0, 10).replaceAll("-", "/");
  const folder = `aws/lambda/${failure.mappingUuid}/${failure.batch.shardId}/${day}`;
  return {
    id: failure.id,
    name: `${folder}/${time.replaceAll(":", ".")}`,
    payload: failure.payload,
    failure,
    text: (form) =>
      JSON.stringify(form === "whole" ? failureDocumentWithPayload(failure) : failureDocument(failure)),
  };
}

type Json = { [key: string]: unknown };

/** AWS's document for SQS and SNS: metadata only, members in AWS's order. */
export function failureDocument(record: FailureRecord): Json {
  return { ...head(record), version: "1.0", timestamp: isoTime(record.timestampMs), ...tail(record) };
}

/** AWS's document for S3: with the event as an escaped JSON string, members in AWS's order. */
export function failureDocumentWithPayload(record: FailureRecord): Json {
  const payload = record.payload === undefined ? {} : { payload: new TextDecoder().decode(record.payload) };
  return {
    ...head(record),
    version: "1.0",
    ...payload,
    timestamp: isoTime(record.timestampMs),
    ...tail(record),
  };
}

function head(record: FailureRecord): Json {
  const requestContext = {
    requestId: record.requestId,
    functionArn: record.functionArn,
    condition: record.condition,
    approximateInvokeCount: record.approximateInvokeCount,
  };
  // Kafka's documents have the member in any case (kafka §4).
  if (record.response === undefined && record.batch.infoName === "KafkaBatchInfo") {
    return { requestContext, responseContext: null };
  }
  if (record.response === undefined) return { requestContext };
  const responseContext = {
    statusCode: 200,
    executedVersion: record.response.executedVersion ?? "$LATEST",
    functionError: record.response.functionError,
  };
  return { requestContext, responseContext };
}

function tail({ batch, payload, window }: FailureRecord): Json {
  if (batch.infoName === "KafkaBatchInfo") return { [batch.infoName]: kafkaInfo(batch, payload) };
  const info = shardInfo(batch);
  if (window === undefined) return { [batch.infoName]: info };
  const timeWindowInfo = {
    window: { start: isoSeconds(window.startMs), end: isoSeconds(window.endMs) },
    isFinalInvokeForWindow: window.isFinalInvokeForWindow,
    isWindowTerminatedEarly: window.isWindowTerminatedEarly,
  };
  return { [batch.infoName]: info, timeWindowInfo };
}

/** Members in AWS's order; a self-managed cluster has no ARN (kafka §5). */
function kafkaInfo(batch: FailedBatch, payload: Uint8Array | undefined): Json {
  const { records, shardId, eventSourceArn, bootstrapServers } = batch;
  const recordsInfo = records && {
    firstRecordOffset: records.startPosition,
    lastRecordOffset: records.endPosition,
    ...arrivalTime(batch, "firstRecordTimestamp", records.firstArrivalMs),
    ...arrivalTime(batch, "lastRecordTimestamp", records.lastArrivalMs),
  };
  return {
    batchSize: records?.count ?? 0,
    ...(eventSourceArn === undefined ? {} : { eventSourceArn }),
    bootstrapServers: bootstrapServers ?? "",
    payloadSize: payload?.length ?? 0,
    recordsInfo: recordsInfo === undefined ? {} : { [shardId]: recordsInfo },
  };
}

function shardInfo(batch: FailedBatch): Json {
  const info: Json = { shardId: batch.shardId };
  if (batch.records !== undefined) {
    info["startSequenceNumber"] = batch.records.startPosition;
    info["endSequenceNumber"] = batch.records.endPosition;
    const { firstArrivalMs, lastArrivalMs } = batch.records;
    Object.assign(info, arrivalTime(batch, "approximateArrivalOfFirstRecord", firstArrivalMs));
    Object.assign(info, arrivalTime(batch, "approximateArrivalOfLastRecord", lastArrivalMs));
    info["batchSize"] = batch.records.count;
  }
  info["streamArn"] = batch.eventSourceArn;
  return info;
}

/** The member, unless the time is none that a date can show: others gave it, and it fails nobody's document. */
function arrivalTime({ arrivalPrecision }: FailedBatch, member: string, epochMs: number | undefined): Json {
  if (epochMs === undefined || Number.isNaN(new Date(epochMs).getTime())) return {};
  return { [member]: arrivalPrecision === "seconds" ? isoSeconds(epochMs) : isoTime(epochMs) };
}

export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** `2019-11-14T00:13:19Z` */
export function isoSeconds(epochMs: number): string {
  return isoTime(epochMs).replace(/\.\d+Z$/, "Z");
}
