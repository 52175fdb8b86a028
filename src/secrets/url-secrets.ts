/** Whoever shows the URL shows a user name or password. */
export function hasCredentials({ username, password }: URL): boolean {
  return username !== "" || password !== "";
}

/** What messages may show of a text that should be a URL: of all behind its scheme only what can be no password. */
export function shownUrl(text: string, charsMax: number): string {
  const scheme = /^[\w+.-]*:(\/\/)?/.exec(text)?.[0] ?? "";
  const isSecret = /[@:]/.test(text.slice(scheme.length));
  return (isSecret ? `${scheme}…` : text).slice(0, charsMax);
}
