/** Texts of configuration files: their format, colours and lines. */

export type Format = 'yaml' | 'toml';

/** What a file name may be; its end says the format. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/;

/** What is wrong with the name of a new file. */
export function nameProblem(name: string, taken: string[]): string | null {
  if (taken.includes(name)) {
    return 'There is a file of this name.';
  }
  if (!/\.(ya?ml|toml)$/.test(name)) {
    return 'It ends with .yml, .yaml or .toml.';
  }
  if (name.length > 100) {
    return 'It has at most 100 characters.';
  }
  return NAME.test(name) ? null : 'Use letters, digits, dots, hyphens and underscores.';
}

export function formatOf(name: string): Format {
  return name.endsWith('.toml') ? 'toml' : 'yaml';
}

export interface Piece {
  kind: 'comment' | 'key' | 'string' | 'value' | 'section' | 'text';
  text: string;
}

const SHARED =
  '(?<comment>(?<=^|\\s)#.*)|(?<string>"(?:\\\\.|[^"\\\\])*"?|(?<![\\w\\]])\'[^\']*\'?)';
const VALUE = '(?<value>(?<![\\w.:/-])(?:true|false|null|\\d[\\w.]*)(?![\\w.:/-]))';
const PATTERNS: Record<Format, RegExp> = {
  yaml: new RegExp(
    `${SHARED}|(?<key>(?<=^[\\s-]*|[{,]\\s*)[^\\s:#"'{}[\\],-][^\\s:#"'{}[\\],]*(?=\\s*:(?:\\s|$)))|${VALUE}`,
    'g',
  ),
  toml: new RegExp(
    `(?<section>(?<=^\\s*)\\[+[^\\]#]*\\]+)|${SHARED}|(?<key>(?<=^\\s*|[{,]\\s*)[\\w.-]+(?=\\s*=))|${VALUE}`,
    'g',
  ),
};

/** Longer lines stay plain: looking behind takes the longer the further back the line began. */
const MOST_CHARACTERS = 2000;

/** A line in pieces to colour; together they are the line. Texts over several lines stay plain. */
export function pieces(line: string, format: Format): Piece[] {
  if (line.length > MOST_CHARACTERS) {
    return [{ kind: 'text', text: line }];
  }
  const found: Piece[] = [];
  let at = 0;
  const plain = (until: number) => {
    if (until > at) {
      found.push({ kind: 'text', text: line.slice(at, until) });
    }
  };
  for (const match of line.matchAll(PATTERNS[format])) {
    const kind = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0];
    plain(match.index);
    found.push({ kind: (kind ?? 'text') as Piece['kind'], text: match[0] });
    at = match.index + match[0].length;
  }
  plain(line.length);
  return found;
}

/** Where a marked line stands after a change above it; lines count from 1. */
export function shiftedLine(before: string, after: string, line: number): number {
  const old = before.split('\n');
  const now = after.split('\n');
  let same = 0;
  while (same < old.length && old[same] === now[same]) {
    same += 1;
  }
  return same < line - 1 ? Math.max(1, line + now.length - old.length) : line;
}

/** Where a line begins and ends in a text. */
export function lineRange(text: string, line: number): [number, number] {
  const lines = text.split('\n');
  const index = Math.min(Math.max(line, 1), lines.length) - 1;
  const start = lines.slice(0, index).reduce((sum, { length }) => sum + length + 1, 0);
  return [start, start + (lines[index]?.length ?? 0)];
}

const STEP = '  ';

/** What a new line after `before` begins with: the same indentation, and more below a key. */
export function nextIndent(before: string, format: Format): string {
  const line = before.slice(before.lastIndexOf('\n') + 1);
  const indent = /^[ \t]*/.exec(line)?.[0] ?? '';
  return format === 'yaml' && /:\s*$/.test(line) ? indent + STEP : indent;
}

/** Some lines moved in or out by a step. */
export function indented(lines: string, out: boolean): string {
  return lines
    .split('\n')
    .map((line) => (out ? line.replace(/^ {1,2}|^\t/, '') : line && STEP + line))
    .join('\n');
}
