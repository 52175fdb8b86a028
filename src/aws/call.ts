import { awsFaultOf } from "./fault.ts";

export interface CallLimits {
  /** For the whole call, with its tries, answer and all. */
  readonly timeoutMs: number;
  readonly retry?: RetryPolicy;
}

/**
 * Clients send a request once. What failed is tried again by who called, who counts it; these are the exceptions, and
 * all of them are made here.
 */
export interface RetryPolicy {
  /** All of them, the first too. */
  readonly tries: number;
  /** Before the second try, about; doubles with every further. */
  readonly pauseMs: number;
  /** Whether another try may help. */
  again(error: unknown): boolean;
}

/** How long a small answer may take. */
export const ANSWER_MS_MAX = 30_000;

/**
 * Where a source is opened. What hangs is not waited for again: it is told, and the opening is tried again by who
 * wanted it, as whatever fails for longer.
 */
export const OPENING: CallLimits = {
  timeoutMs: 10_000,
  retry: { tries: 4, pauseMs: 250, again: isWorthAnotherTry },
};

function isWorthAnotherTry(error: unknown): boolean {
  const { fault } = awsFaultOf(error);
  return fault === "passing" || fault === "throttled";
}

/**
 * One call: it ends with its answer, at the caller's abort or after `timeoutMs`, whatever the SDK waits for then, such
 * as credentials. `send` gets the signal that ends its request.
 *
 * @throws what `send` rejects with; `CallTimeout`; the caller's reason once `signal` has aborted.
 */
export async function callAws<Answer>(
  signal: AbortSignal,
  { timeoutMs, retry = ONCE }: CallLimits,
  send: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  signal.throwIfAborted();
  const request = new AbortController();
  return await new Promise<Answer>((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    const end = (reason: unknown) => {
      settle();
      reject(reason);
      request.abort();
    };
    const onAbort = () => end(signal.reason);
    const timer = setTimeout(() => end(new CallTimeout(timeoutMs)), timeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    sendWithTries(request.signal, retry, send).finally(settle).then(resolve, reject);
  });
}

const ONCE: RetryPolicy = { tries: 1, pauseMs: 0, again: () => false };

async function sendWithTries<Answer>(
  signal: AbortSignal,
  { tries, pauseMs, again }: RetryPolicy,
  send: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(signal);
    } catch (error) {
      // plant: a-source-that-is-being-opened-is-given-up-at-its-first-throttle
      if (attempt >= tries || signal.aborted || !again(error)) throw error;
    }
    await pause(pauseMs * 2 ** (attempt - 1) * (0.5 + Math.random()), signal);
  }
}

/** Rejects when it is cut short. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** The deadline of a call has passed. */
export class CallTimeout extends Error {
  constructor(timeoutMs: number) {
    super(`There was no answer within ${timeoutMs} ms.`);
    this.name = "TimeoutError";
  }
}
