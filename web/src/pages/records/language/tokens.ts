/** The filter language in pieces. Whitespace and comments are dropped, places are kept. */

export type TokenKind =
  | 'name'
  | 'string'
  | 'number'
  | 'operator'
  | 'join'
  | 'open'
  | 'close'
  | 'comma'
  | 'bad';

export interface Token {
  kind: TokenKind;
  text: string;
  from: number;
  to: number;
}

/** Something wrong in an expression, with its place. */
export interface Problem {
  from: number;
  to: number;
  message: string;
}

/** Comparisons with what they mean, in the order in which they are offered. */
export const OPERATORS: [string, string][] = [
  ['=', 'equal'],
  ['!=', 'not equal'],
  ['~', 'contains'],
  ['!~', 'does not contain'],
  ['>', 'greater'],
  ['>=', 'greater or equal'],
  ['<', 'less'],
  ['<=', 'less or equal'],
  ['?=', 'any equal'],
  ['?!=', 'any not equal'],
  ['?~', 'any contains'],
  ['?!~', 'any does not contain'],
  ['?>', 'any greater'],
  ['?>=', 'any greater or equal'],
  ['?<', 'any less'],
  ['?<=', 'any less or equal'],
];

const PATTERNS: [TokenKind | 'skip', RegExp][] = [
  ['skip', /\s+|\/\/[^\n]*/y],
  ['string', /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/sy],
  ['number', /-?\d+(?:\.\d+)?(?![\w.@#:])/y],
  ['name', /[A-Za-z_@#][\w.@#:]*/y],
  ['join', /&&|\|\|/y],
  ['operator', /\?!?[=~]|\?[<>]=?|!=|!~|[<>]=?|=|~/y],
  ['open', /\(/y],
  ['close', /\)/y],
  ['comma', /,/y],
];

/** The tokens of an expression; what is none becomes one that is `bad`. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const [kind, length] = match(text, at);
    if (kind !== 'skip') {
      tokens.push({ kind, text: text.slice(at, at + length), from: at, to: at + length });
    }
    at += length;
  }
  return tokens;
}

function match(text: string, at: number): [TokenKind | 'skip', number] {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) {
      return [kind, found[0].length];
    }
  }
  // A string that is still open reaches to the end.
  return ['bad', /['"]/.test(text[at] ?? '') ? text.length - at : 1];
}

/** Pieces of the whole text with their kind, for colouring; what lies between tokens has none. */
export function pieces(text: string): { text: string; kind: TokenKind | 'plain' | 'comment' }[] {
  const result: { text: string; kind: TokenKind | 'plain' | 'comment' }[] = [];
  let at = 0;
  const gap = (to: number) => {
    if (to > at) {
      const between = text.slice(at, to);
      result.push({ text: between, kind: between.includes('//') ? 'comment' : 'plain' });
    }
  };
  for (const token of tokenize(text)) {
    gap(token.from);
    result.push({ text: token.text, kind: token.kind });
    at = token.to;
  }
  gap(text.length);
  return result;
}
