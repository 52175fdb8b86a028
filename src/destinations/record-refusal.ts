import { awsFaultOf, memberOf } from "../aws/fault.ts";

/**
 * The record itself is refused, by its size or by characters that XML does not have; all else an operator can mend.
 * Services have one code for all parameters that they do not like: what is too long is then told by their text alone.
 */
export function isRecordRefusal(error: unknown): boolean {
  const { code } = awsFaultOf(error);
  if (/^(InvalidMessageContents|EntityTooLarge|KeyTooLong)/.test(code)) return true;
  const message = String(memberOf(error, "message"));
  return /^InvalidParameter/.test(code) && /too long|must be shorter/i.test(message);
}
