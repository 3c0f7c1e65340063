/** What can be written at the cursor. */

import { fieldOf, modifiersOf, type Name, namesAfter, type Scope } from './scope';
import { expectation } from './syntax';
import { OPERATORS, type Token, tokenize } from './tokens';

export interface Suggestion {
  /** What is put in. */
  text: string;
  /** What it is. */
  detail: string;
  /** Whether the list stays open for what follows. */
  opens: boolean;
}

export interface Completion {
  /** The part of the text that a suggestion replaces. */
  from: number;
  to: number;
  suggestions: Suggestion[];
}

const MAX_SUGGESTIONS = 60;

/** The suggestions for the cursor's place. */
export function complete(text: string, cursor: number, scope: Scope): Completion {
  const tokens = tokenize(text);
  const touched = tokens.find(({ from, to }) => from < cursor && cursor <= to);
  if (touched?.kind === 'string' || touched?.kind === 'number') {
    return { from: cursor, to: cursor, suggestions: [] };
  }
  const before = tokens.filter(({ to }) => to <= (touched ? touched.from : cursor));
  const { expects, left } = expectation(before);
  if (touched?.kind === 'bad' && /^['"]/.test(touched.text)) {
    return openText(touched, cursor, text, left, scope);
  }
  const at = { from: touched?.from ?? cursor, to: touched?.to ?? cursor };
  if (touched?.kind === 'name') {
    if (expects === 'left' || expects === 'right') {
      return names(text, touched, cursor, scope, expects === 'right' ? left : null);
    }
    return { from: cursor, to: cursor, suggestions: [] };
  }
  if (touched?.kind === 'operator' || expects === 'operator') {
    const part = touched?.kind === 'operator' || touched?.kind === 'bad' ? touched.text : '';
    return {
      ...(part ? at : { from: cursor, to: cursor }),
      suggestions: OPERATORS.filter(([name]) => name.startsWith(part)).map(([name, detail]) => ({
        text: `${name} `,
        detail,
        opens: true,
      })),
    };
  }
  if (expects === 'join') {
    const part = touched?.kind === 'bad' || touched?.kind === 'join' ? touched.text : '';
    const joins = [
      { text: '&& ', detail: 'and', opens: true },
      { text: '|| ', detail: 'or', opens: true },
    ];
    return {
      ...(part ? at : { from: cursor, to: cursor }),
      suggestions: joins.filter(({ text: join }) => join.startsWith(part)),
    };
  }
  const start: Token = { kind: 'name', text: '', from: cursor, to: cursor };
  return names(text, start, cursor, scope, expects === 'right' ? left : null);
}

/** Names and, on the right side, the values that the left side can have. */
function names(
  text: string,
  token: Token,
  cursor: number,
  scope: Scope,
  left: Token | null,
): Completion {
  const typed = text.slice(token.from, cursor);
  const colon = /:(\w*)$/.exec(typed);
  if (colon && !typed.startsWith('@collection.') && typed.length > colon[0].length) {
    return {
      from: token.from + colon.index,
      to: token.to,
      suggestions: pick(modifiersOf(typed.slice(0, colon.index)), colon[0]),
    };
  }
  const dot = typed.lastIndexOf('.');
  const segments = dot < 0 ? [] : typed.slice(0, dot).split('.');
  const found = pick(namesAfter(segments, scope), typed.slice(dot + 1));
  const values = left && dot < 0 ? pick(valuesFor(left, scope), typed) : [];
  return { from: token.from + dot + 1, to: token.to, suggestions: [...values, ...found] };
}

/** A text that has been opened on the right side: the values of the field on the left. */
function openText(
  token: Token,
  cursor: number,
  text: string,
  left: Token | null,
  scope: Scope,
): Completion {
  const typed = text.slice(token.from, cursor).toLowerCase();
  const suggestions = left
    ? valuesFor(left, scope).filter(
        ({ name }) => /^['"]/.test(typed) && name.toLowerCase().startsWith(`'${typed.slice(1)}`),
      )
    : [];
  return {
    from: token.from,
    to: cursor,
    suggestions: suggestions.map(({ name, detail }) => ({ text: name, detail, opens: false })),
  };
}

function valuesFor(left: Token, scope: Scope): Name[] {
  const field = fieldOf(left.text, scope);
  if (/:(isset|changed)$/.test(left.text) || field?.type === 'bool') {
    return [
      { name: 'true', detail: 'value' },
      { name: 'false', detail: 'value' },
    ];
  }
  return (field?.values ?? []).map((value) => ({
    name: `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
    detail: 'value',
  }));
}

/** The names that match what is typed: those that begin with it first. */
function pick(all: Name[], typed: string): Suggestion[] {
  const wanted = typed.toLowerCase();
  const rank = ({ name }: Name): number => {
    const lower = name.toLowerCase();
    if (lower.startsWith(wanted)) {
      return 0;
    }
    return lower.includes(wanted) ? 1 : 2;
  };
  return all
    .map((name) => ({ name, rank: rank(name) }))
    .filter((one) => one.rank < 2 && one.name.name !== typed)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MAX_SUGGESTIONS)
    .map(({ name: { name, detail, opens } }) => ({ text: name, detail, opens: opens ?? false }));
}
