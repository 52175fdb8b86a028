import type { TenantMessage } from "./tenant-queue.ts";

export interface FairRules {
  readonly weights: Readonly<Record<string, number>>;
  /** Batches at once. */
  readonly places: number;
}

/** A batch that runs. */
export interface Run {
  readonly messages: readonly TenantMessage[];
  readonly startedAt: number;
}

/** Times of two tenants since both have had messages waiting. */
interface Race {
  readonly since: number;
  readonly servedA: number;
  readonly servedB: number;
}

/** Who has rested for so many of the longest batches owes nobody anything. */
const QUIET_BATCHES = 10;
/** Behind so many messages one is read at once: half of what is read past when all places are taken. */
const READ_PAST = 50;
/** Timers may be late by this. */
const TICK_MS = 50;

/**
 * Judges how places were dealt out (docs/invariants.md, F1 to F3), by what the queue gave and the function got alone.
 */
export class FairJudge {
  readonly violations: string[] = [];
  readonly #rules: FairRules;
  readonly #waiting = new Map<string, Set<TenantMessage>>();
  readonly #running = new Set<Run>();
  readonly #served = new Map<string, number>();
  readonly #races = new Map<string, Race>();
  /** By tenant, when something of it ran last. */
  readonly #ranAt = new Map<string, number>();
  /** Messages that came when their tenant had had nothing for long. */
  readonly #lone = new Set<TenantMessage>();
  #longestMs = 0;
  #at = 0;
  /** Since when a place has been free while a message waited. */
  #idleSince: number | undefined;

  constructor(rules: FairRules) {
    this.#rules = rules;
  }

  get longestMs(): number {
    return this.#longestMs;
  }

  /** Tenants with messages in the process's hands that wait. */
  get active(): number {
    return this.#waiting.size;
  }

  get waiting(): number {
    return [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0);
  }

  received(message: TenantMessage, now: number): void {
    this.#pass(now);
    const waiting = this.#waiting.get(message.tenant);
    if (waiting === undefined) this.#arrives(message, now);
    else waiting.add(message);
    this.#noteIdle(now);
  }

  started(messages: readonly TenantMessage[], now: number): Run {
    this.#pass(now);
    for (const message of messages) {
      if (this.#lone.delete(message)) this.#checkLone(message, now);
      const waiting = this.#waiting.get(message.tenant);
      waiting?.delete(message);
      if (waiting?.size === 0) this.#rests(message.tenant);
    }
    const run = { messages, startedAt: now };
    this.#running.add(run);
    this.#noteIdle(now);
    return run;
  }

  ended(run: Run, now: number): void {
    this.#pass(now);
    this.#running.delete(run);
    this.#longestMs = Math.max(this.#longestMs, now - run.startedAt);
    this.#noteIdle(now);
  }

  /** The first of its tenant. */
  #arrives(message: TenantMessage, now: number): void {
    const { tenant } = message;
    this.#waiting.set(tenant, new Set([message]));
    const restsSince = this.#ranAt.get(tenant) ?? Number.NEGATIVE_INFINITY;
    if (now - restsSince > QUIET_BATCHES * this.#longestMs) this.#lone.add(message);
    for (const other of this.#waiting.keys()) if (other !== tenant) this.#begin(tenant, other, now);
  }

  /** Time goes on: whoever has places is served meanwhile. */
  #pass(now: number): void {
    this.#checkIdle(now);
    const passedMs = now - this.#at;
    for (const { messages, startedAt } of this.#running) {
      this.#longestMs = Math.max(this.#longestMs, now - startedAt);
      for (const { tenant } of messages) {
        this.#served.set(tenant, (this.#served.get(tenant) ?? 0) + passedMs / messages.length);
        this.#ranAt.set(tenant, now);
      }
    }
    this.#at = now;
    for (const [pair, race] of this.#races) this.#checkRace(pair, race, now);
  }

  #begin(a: string, b: string, now: number): void {
    this.#races.set(`${a}|${b}`, { since: now, servedA: this.#share(a), servedB: this.#share(b) });
  }

  #rests(tenant: string): void {
    this.#waiting.delete(tenant);
    for (const pair of [...this.#races.keys()])
      if (pair.split("|").includes(tenant)) this.#races.delete(pair);
  }

  /** Over its weight. */
  #share(tenant: string): number {
    return (this.#served.get(tenant) ?? 0) / this.#weight(tenant);
  }

  #weight(tenant: string): number {
    return this.#rules.weights[tenant] ?? 1;
  }

  /** F1. */
  #checkRace(pair: string, { since, servedA, servedB }: Race, now: number): void {
    const [a = "", b = ""] = pair.split("|");
    const apartMs = Math.abs(this.#share(a) - servedA - (this.#share(b) - servedB));
    const batches = (this.#rules.places + 1) * this.#longestMs;
    const mostMs = batches / this.#weight(a) + batches / this.#weight(b) + TICK_MS;
    if (apartMs > mostMs)
      this.violations.push(
        `F1: since ${Math.round(since)} ${a} and ${b} are ${Math.round(apartMs)} ms apart at ${Math.round(now)}, of ${Math.round(mostMs)}`,
      );
  }

  /** F2. */
  #checkIdle(now: number): void {
    if (this.#idleSince !== undefined && now - this.#idleSince > TICK_MS)
      this.violations.push(
        `F2: a place is free since ${Math.round(this.#idleSince)} while messages wait, at ${Math.round(now)}`,
      );
  }

  #noteIdle(now: number): void {
    const isIdle = this.#waiting.size > 0 && this.#running.size < this.#rules.places;
    this.#idleSince = isIdle ? (this.#idleSince ?? now) : undefined;
  }

  /** F3. */
  #checkLone(message: TenantMessage, now: number): void {
    const isNear = message.ahead <= READ_PAST;
    const waitedMs = now - (isNear ? message.sentAt : (message.receivedAt ?? now));
    const turns = Math.ceil((this.active + 1) / this.#rules.places) + (isNear ? 2 : 1);
    if (waitedMs > turns * this.#longestMs + TICK_MS)
      this.violations.push(
        `F3: ${message.messageId} came alone and waited ${Math.round(waitedMs)} ms, with batches of ${Math.round(this.#longestMs)} ms at most`,
      );
  }
}
