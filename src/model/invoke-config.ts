/** What is said of a function's asynchronous events, of one qualifier; absent members mean AWS's defaults. */
export interface InvokeConfig {
  readonly maximumRetryAttempts?: number | undefined;
  readonly maximumEventAgeSeconds?: number | undefined;
  /** URIs of destinations. */
  readonly onSuccess?: string | undefined;
  readonly onFailure?: string | undefined;
}

export const EVENT_RETRIES_DEFAULT = 2;
export const EVENT_RETRIES_MAX = 2;
export const EVENT_AGE_SECONDS_DEFAULT = 21_600;
export const EVENT_AGE_SECONDS_MIN = 60;
export const EVENT_AGE_SECONDS_MAX = 21_600;
