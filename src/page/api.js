/** @typedef {{ name: string, roles: string[] }} Me */

const TOKEN_KEY = "millrace-token";
const pageToken = document.querySelector('meta[name="millrace-page"]')?.getAttribute("content") ?? "";

/** The user's own, where the server asks for one. In memory; in the session's storage only when its user ticks that. */
let token = sessionStorage.getItem(TOKEN_KEY);

/** @param {string} given @param {boolean} isKept */
export function signIn(given, isKept) {
  token = given;
  if (isKept) sessionStorage.setItem(TOKEN_KEY, given);
  else sessionStorage.removeItem(TOKEN_KEY);
}

export function signOut() {
  token = null;
  sessionStorage.removeItem(TOKEN_KEY);
}

/** @returns {Record<string, string>} */
export function headers() {
  if (token !== null) return { authorization: `Bearer ${token}` };
  return pageToken === "" ? {} : { "x-millrace-page": pageToken };
}

export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * The answer's document. A path is relative to the page, so that it works behind a proxy's prefix.
 * @param {string} method @param {string} path @param {unknown} [body] @param {Record<string, string>} [more]
 * @returns {Promise<any>}
 */
export async function call(method, path, body, more = {}) {
  const response = await answer(method, path, body, more);
  const text = await response.text();
  return text === "" ? {} : JSON.parse(text);
}

/**
 * @param {string} method @param {string} path @param {unknown} [body] @param {Record<string, string>} [more]
 * @returns {Promise<Response>}
 */
export async function answer(method, path, body, more = {}) {
  /** @type {RequestInit} */
  const request = { method, headers: { ...headers(), ...more }, credentials: "omit", redirect: "error" };
  if (body !== undefined) {
    request.body = typeof body === "string" ? body : JSON.stringify(body);
    request.headers = { "content-type": "application/json", ...request.headers };
  }
  const response = await fetch(path, request);
  if (response.ok) return response;
  throw new ApiError(response.status, messageOf(response.status, await response.text()));
}

/** @param {number} status @param {string} text */
function messageOf(status, text) {
  try {
    const { message, Message } = JSON.parse(text);
    const said = message ?? Message;
    if (typeof said === "string") return said;
  } catch {
    // It is not JSON: a proxy has answered.
  }
  return `The server answered ${status}.`;
}
