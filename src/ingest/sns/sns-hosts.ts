import { isIP } from "node:net";

/** Who may be asked for certificates and confirmations: AWS in the message's region, or whom the operator lists. */
export interface SnsHosts {
  /** `HOST` or `HOST:PORT`. */
  readonly listed: readonly string[];
}

const URL_CHARS_MAX = 2_048;

/** The URL, when a message of this topic may name it; only https, and nothing that says who asks. */
export function allowedUrl(text: string, topicArn: string, { listed }: SnsHosts): URL | undefined {
  if (text.length > URL_CHARS_MAX || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const { protocol, username, password, hash, hostname, host, port } = url;
  if (protocol !== "https:" || username !== "" || password !== "" || hash !== "") return undefined;
  if (listed.includes(host)) return url;
  if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0 || port !== "") return undefined;
  return awsHosts(topicArn).includes(hostname) ? url : undefined;
}

/** That of the topic's own region: another's would have signed another's messages. */
function awsHosts(topicArn: string): readonly string[] {
  const [, partition = "", service, region = ""] = topicArn.split(":");
  if (service !== "sns" || !/^[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}$/.test(region)) return [];
  return [`sns.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}`];
}

/** Whether the operator has named the host: then it may stand in this network. */
export function isListedHost({ host }: URL, { listed }: SnsHosts): boolean {
  return listed.includes(host);
}
