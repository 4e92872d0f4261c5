import { TokenError } from "./token-error.ts";

/** What can be wrong with a text that should be a token. The words are the error's `why` and its message. */
const complaints: Readonly<Record<string, RegExp>> = {
  empty: /^$/,
  too_long: /^.{8193}/s,
  bearer_prefix: /^bearer(\s|$)/i,
  json_text: /^[{[](?!object )/,
  quoted: /^"/,
  placeholder: /^(undefined|null|NaN|\[object .*)$/,
  line_break: /[\r\n]/,
  outer_space: /^\s|\s$/,
  inner_space: /\s/,
  not_ascii: /[^\x21-\x7e]/,
};

/** @throws {@link TokenError} `invalid_token` unless the text can stand in a header (RFC 6750 section 2.1). */
export function checkTokenText(text: string): void {
  for (const [why, pattern] of Object.entries(complaints)) {
    if (pattern.test(text)) {
      throw invalidToken(why, `The token is not usable (${why}). Return it bare.`);
    }
  }
}

/** An `invalid_token` that says what is wrong in a word and in a sentence. Never says the token. */
export function invalidToken(why: string, message: string): TokenError {
  return new TokenError("invalid_token", message, { why });
}
