import { expect, it } from 'vitest';
import { TEMPLATES } from './template';
import {
  type Format,
  formatOf,
  indented,
  lineRange,
  nameProblem,
  nextIndent,
  pieces,
  shiftedLine,
} from './text';

/** Pieces that have a colour, as `kind:text`. */
function coloured(line: string, format: Format): string[] {
  const parts = pieces(line, format);
  expect(parts.map(({ text }) => text).join('')).toBe(line);
  return parts.filter(({ kind }) => kind !== 'text').map(({ kind, text }) => `${kind}:${text}`);
}

it.each<[Format, string, string[]]>([
  ['yaml', 'http:', ['key:http']],
  [
    'yaml',
    '      rule: "Host(`a`) # no comment"  # one',
    ['key:rule', 'string:"Host(`a`) # no comment"', 'comment:# one'],
  ],
  ['yaml', '  - url: http://10.0.0.1:8080', ['key:url']],
  ['yaml', '  weight: 3', ['key:weight', 'value:3']],
  ['yaml', '  x: {secure: true, name: lb}', ['key:x', 'key:secure', 'value:true', 'key:name']],
  ['yaml', 'a#b: c#d', []],
  ['yaml', "  a: 'it''s'", ['key:a', "string:'it'", "string:'s'"]],
  ['yaml', '  a: "not closed', ['key:a', 'string:"not closed']],
  ['yaml', '', []],
  ['toml', '[http.routers.shop] # x', ['section:[http.routers.shop]', 'comment:# x']],
  ['toml', '[[http.servers]]', ['section:[[http.servers]]']],
  ['toml', "rule = 'Host(`a`)'", ['key:rule', "string:'Host(`a`)'"]],
  ['toml', 'a.b = {c = 10, d = false}', ['key:a.b', 'key:c', 'value:10', 'key:d', 'value:false']],
])('colours %s: %s', (format, line, expected) => {
  expect(coloured(line, format)).toEqual(expected);
});

it('loses nothing of the templates', () => {
  for (const format of ['yaml', 'toml'] as const) {
    const lines = TEMPLATES[format].split('\n');
    expect(lines.flatMap((line) => coloured(line, format)).length).toBeGreaterThan(8);
  }
});

it('knows formats and names', () => {
  expect(['a.yml', 'a.yaml', 'a.toml'].map(formatOf)).toEqual(['yaml', 'yaml', 'toml']);
  expect(nameProblem('shop.yml', ['other.yml'])).toBeNull();
  expect(nameProblem('shop.yml', ['shop.yml'])).toMatch(/is a file/);
  expect(nameProblem('shop', [])).toMatch(/ends with/);
  expect(nameProblem('../shop.yml', [])).toMatch(/letters/);
  expect(nameProblem('.yml', [])).toMatch(/letters/);
  expect(nameProblem('_x.yaml', [])).toBeNull();
  expect(nameProblem(`${'x'.repeat(97)}.yml`, [])).toMatch(/at most/);
});

it.each([
  ['a\nb\nc', 'a\nb\nc!', 3, 3],
  ['a\nb\nc', 'new\na\nb\nc', 3, 4],
  ['a\nb\nc', 'a\nc', 3, 2],
  ['a\nb\nc', 'a\nb\nc\nd', 2, 2],
  ['a\nb\nc', '', 3, 1],
])('the mark in %j follows to %j', (before, after, line, moved) => {
  expect(shiftedLine(before, after, line)).toBe(moved);
});

it('finds a line in a text', () => {
  expect(lineRange('ab\n\ncde', 1)).toEqual([0, 2]);
  expect(lineRange('ab\n\ncde', 2)).toEqual([3, 3]);
  expect(lineRange('ab\n\ncde', 3)).toEqual([4, 7]);
  expect(lineRange('ab', 9)).toEqual([0, 2]);
});

it('indents what follows and what is selected', () => {
  expect(nextIndent('http:\n  routers:', 'yaml')).toBe('    ');
  expect(nextIndent('  - url: x', 'yaml')).toBe('  ');
  expect(nextIndent('[a]\n  b = 1', 'toml')).toBe('  ');
  expect(indented('a\n\n  b', false)).toBe('  a\n\n    b');
  expect(indented('  a\n\n b', true)).toBe('a\n\nb');
});
