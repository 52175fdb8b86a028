import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installChromium } from "./install-chromium.ts";

const START_MS_MAX = 60_000;
const CALL_MS_MAX = 60_000;
/** No sandbox: its namespaces are not there in a container, and it opens only what the tests made. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  "--remote-debugging-port=0",
];

const NOTE_REFUSALS =
  "addEventListener('securitypolicyviolation', (event) => { (window.refused ??= []).push(event.violatedDirective + ' ' + event.blockedURI); });";
const KEY_CODES: Readonly<Record<string, number>> = { Tab: 9, Enter: 13, Escape: 27 };

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** Chromium's trace format; times are microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Headless Chromium, spoken to by its own protocol: enough to open a page, look at it and take its picture. */
export class Browser {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #listeners = new Set<(message: Message) => void>();
  #calls = 0;

  private constructor(child: ChildProcess, folder: string, socket: WebSocket) {
    this.#child = child;
    this.#folder = folder;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
      else for (const listener of this.#listeners) listener(message);
    });
  }

  static async start(): Promise<Browser> {
    const { program, environment } = await installChromium();
    const folder = await mkdtemp(join(tmpdir(), "millrace-chromium-"));
    const child = spawn(program, [...FLAGS, `--user-data-dir=${folder}`, "about:blank"], {
      env: { ...process.env, ...environment, HOME: folder },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const address = await debuggerAddress(child);
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", reject, { once: true });
    });
    return new Browser(child, folder, socket);
  }

  /** @throws Error with the browser's own words. */
  async call(
    method: string,
    params: object = {},
    sessionId?: string,
  ): Promise<Readonly<Record<string, unknown>>> {
    this.#calls += 1;
    const id = this.#calls;
    const answer = new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method} got no answer`)), CALL_MS_MAX);
      this.#waiting.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
    });
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    const { result, error } = await answer;
    this.#waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  on(listener: (message: Message) => void): void {
    this.#listeners.add(listener);
  }

  /** What the browser writes of itself while `work` runs. */
  async trace(categories: readonly string[], work: () => Promise<void>): Promise<readonly TraceEvent[]> {
    const events: TraceEvent[] = [];
    const complete = Promise.withResolvers<void>();
    const listener = ({ method, params }: Message) => {
      if (method === "Tracing.dataCollected") {
        events.push(...((params?.["value"] ?? []) as readonly TraceEvent[]));
      }
      if (method === "Tracing.tracingComplete") complete.resolve();
    };
    this.#listeners.add(listener);
    const traceConfig = { includedCategories: categories, excludedCategories: ["*"] };
    await this.call("Tracing.start", { transferMode: "ReportEvents", traceConfig });
    try {
      await work();
    } finally {
      await this.call("Tracing.end");
    }
    await complete.promise;
    this.#listeners.delete(listener);
    return events;
  }

  async open(url: string, look: PageLook): Promise<Page> {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, String(sessionId), String(targetId));
    await page.load(url, look);
    return page;
  }

  async close(): Promise<void> {
    this.#socket.close();
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await ended;
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface PageLook {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
}

export class Page {
  /** Errors and warnings of the console, failed requests, and what the page asked the network for. */
  readonly complaints: string[] = [];
  readonly #browser: Browser;
  readonly #session: string;
  readonly #target: string;

  constructor(browser: Browser, session: string, target: string) {
    this.#browser = browser;
    this.#session = session;
    this.#target = target;
  }

  async load(url: string, { width, height, scheme }: PageLook): Promise<void> {
    const loaded = Promise.withResolvers<void>();
    this.#browser.on((message) => {
      if (message.sessionId === this.#session) this.#note(message, url, loaded.resolve);
    });
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.#call(`${domain}.enable`);
    await this.#call("Page.addScriptToEvaluateOnNewDocument", { source: NOTE_REFUSALS });
    await this.#call("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.#call("Emulation.setEmulatedMedia", { features });
    await this.#call("Page.navigate", { url });
    await loaded.promise;
  }

  /** The value of an expression in the page; it must be JSON. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#call("Runtime.evaluate", {
      expression,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { readonly value: T }).value;
  }

  /** A page behind another one draws nothing. */
  async front(): Promise<void> {
    await this.#call("Page.bringToFront");
  }

  /** What the page's policy has refused since it was loaded. */
  async refused(): Promise<readonly string[]> {
    return await this.evaluate<string[]>("window.refused ?? []");
  }

  /** A key of the keyboard, as a person presses it: `Tab`, `Enter`, `/`. */
  async press(key: string): Promise<void> {
    const text = key === "Enter" ? "\r" : key.length === 1 ? key : undefined;
    const event = { key, code: key.length === 1 ? "" : key, windowsVirtualKeyCode: KEY_CODES[key] ?? 0 };
    const down = text === undefined ? { type: "rawKeyDown" } : { type: "keyDown", text };
    await this.#call("Input.dispatchKeyEvent", { ...event, ...down });
    await this.#call("Input.dispatchKeyEvent", { ...event, type: "keyUp" });
  }

  /** PNG of the whole page. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#call("Page.captureScreenshot", {
      format: "png",
      captureBeyondViewport: true,
    });
    return Buffer.from(String(data), "base64");
  }

  /** Each open page is a process of the browser. */
  async close(): Promise<void> {
    await this.#browser.call("Target.closeTarget", { targetId: this.#target });
  }

  #call(method: string, params: object = {}) {
    return this.#browser.call(method, params, this.#session);
  }

  #note({ method, params }: Message, url: string, onLoad: () => void): void {
    if (method === "Page.loadEventFired") onLoad();
    if (method === "Runtime.exceptionThrown" || method === "Log.entryAdded") {
      this.complaints.push(JSON.stringify(params));
    }
    if (method === "Runtime.consoleAPICalled") this.complaints.push(JSON.stringify(params));
    if (method === "Network.requestWillBeSent") {
      const asked = (params?.["request"] as { readonly url?: string } | undefined)?.url ?? "";
      if (asked !== url && !asked.startsWith("data:")) this.complaints.push(`the page asked for ${asked}`);
    }
  }
}

function debuggerAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error(`Chromium did not start:\n${output}`)), START_MS_MAX);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-8_000);
      const address = /DevTools listening on (ws:\S+)/.exec(output)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
    child.once("error", reject);
    child.once("close", () => reject(new Error(`Chromium ended:\n${output}`)));
  });
}
