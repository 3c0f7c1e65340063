/** Names of the filter language: which there are at some place, and which are unknown. */

import type { Collection, CollectionField } from '@/api/types';

/** Where an expression stands. */
export interface Scope {
  collection: Collection;
  collections: Collection[];
  /** Rules know the request; a filter of the record grid runs as an administrator. */
  isRule: boolean;
}

/** A name that can stand at a place. */
export interface Name {
  name: string;
  /** What it is: a type, or a short explanation. */
  detail: string;
  /** Whether more has to follow, as after `@request.`. */
  opens?: boolean;
}

export const MACROS: [string, string][] = [
  ['@now', 'this moment'],
  ['@todayStart', '00:00 today'],
  ['@todayEnd', '23:59 today'],
  ['@yesterday', 'this time yesterday'],
  ['@tomorrow', 'this time tomorrow'],
  ['@monthStart', 'start of the month'],
  ['@monthEnd', 'end of the month'],
  ['@yearStart', 'start of the year'],
  ['@yearEnd', 'end of the year'],
  ['@second', '0–59'],
  ['@minute', '0–59'],
  ['@hour', '0–23'],
  ['@weekday', '0–6'],
  ['@day', '1–31'],
  ['@month', '1–12'],
  ['@year', 'the year'],
];

export const FUNCTIONS: [string, string][] = [
  ['geoDistance(', 'lonA, latA, lonB, latB → km'],
  ['strftime(', 'format, time, modifiers…'],
];

const MODIFIERS: [string, string][] = [
  [':lower', 'in lower case'],
  [':length', 'how many values'],
  [':each', 'each value'],
];

const BODY_MODIFIERS: [string, string][] = [
  [':isset', 'was sent'],
  [':changed', 'was sent with another value'],
];

const REQUEST: Name[] = [
  { name: 'auth.', detail: 'who asks', opens: true },
  { name: 'body.', detail: 'what is sent', opens: true },
  { name: 'query.', detail: 'parameters of the URL', opens: true },
  { name: 'headers.', detail: 'lower case, - as _', opens: true },
  { name: 'method', detail: 'GET, POST…' },
  { name: 'context', detail: 'default, oauth2, otp, password, realtime, protectedFile' },
];

/** The names that may follow the segments of a path, whose last dot has been typed. */
export function namesAfter(segments: string[], scope: Scope): Name[] {
  const [root, second] = segments;
  if (root === undefined) {
    return roots(scope);
  }
  if (root === '@request') {
    return requestNames(segments, scope);
  }
  if (root === '@collection') {
    if (second === undefined) {
      return scope.collections.map(({ name, type }) => ({
        name: `${name}.`,
        detail: type,
        opens: true,
      }));
    }
    return fieldNames(follow(collectionOf(second, scope), segments.slice(2), scope), scope);
  }
  return fieldNames(follow(scope.collection, segments, scope), scope);
}

function roots(scope: Scope): Name[] {
  const names = fieldNames(scope.collection, scope);
  if (scope.isRule) {
    names.push({ name: '@request.', detail: 'the request', opens: true });
  }
  names.push(
    { name: '@collection.', detail: 'another collection', opens: true },
    ...MACROS.map(([name, detail]) => ({ name, detail })),
    ...FUNCTIONS.map(([name, detail]) => ({ name, detail, opens: true })),
  );
  return names;
}

function requestNames(segments: string[], scope: Scope): Name[] {
  const [, part, ...rest] = segments;
  if (part === undefined) {
    return REQUEST;
  }
  if (part === 'auth') {
    const auth = scope.collections.filter(({ type }) => type === 'auth');
    const ends = auth.flatMap((collection) => follow(collection, rest, scope) ?? []);
    const names = ends.flatMap((collection) => fieldNames(collection, scope));
    const extra =
      rest.length === 0
        ? [
            { name: 'collectionName', detail: 'text' },
            { name: 'collectionId', detail: 'text' },
          ]
        : [];
    return unique([...names, ...extra]);
  }
  if (part === 'body') {
    return fieldNames(follow(scope.collection, rest, scope), scope);
  }
  return [];
}

function unique(names: Name[]): Name[] {
  return [...new Map(names.map((name) => [name.name, name])).values()];
}

/** The fields of a collection, and the collections that refer to it. */
function fieldNames(collection: Collection | undefined, scope: Scope): Name[] {
  if (!collection) {
    return [];
  }
  const own = collection.fields
    .filter(({ type }) => type !== 'password')
    .map(({ name, type }) => ({
      name,
      detail: type,
    }));
  const back = scope.collections.flatMap((other) =>
    other.type === 'view'
      ? []
      : other.fields
          .filter((field) => field.type === 'relation' && field.collectionId === collection.id)
          .map((field) => ({
            name: `${other.name}_via_${field.name}.`,
            detail: 'refers here',
            opens: true,
          })),
  );
  return [...own, ...back];
}

/** The collection that a path of relations leads to; nothing where it leads nowhere. */
function follow(
  start: Collection | undefined,
  segments: string[],
  scope: Scope,
): Collection | undefined {
  let current = start;
  for (const segment of segments) {
    current = current && step(current, segment, scope);
  }
  return current;
}

function step(from: Collection, segment: string, scope: Scope): Collection | undefined {
  const [name = ''] = segment.split(':');
  const field = from.fields.find((one) => one.name === name);
  if (field) {
    return scope.collections.find(({ id }) => id === field.collectionId);
  }
  const [other, via] = splitVia(name);
  return via ? collectionOf(other, scope) : undefined;
}

function splitVia(segment: string): [string, string] {
  const at = segment.indexOf('_via_');
  return at < 1 ? ['', ''] : [segment.slice(0, at), segment.slice(at + 5)];
}

function collectionOf(segment: string, scope: Scope): Collection | undefined {
  const [name] = segment.split(':');
  return scope.collections.find((one) => one.name === name || one.id === name);
}

/** The field that a whole path names, where it names one. */
export function fieldOf(path: string, scope: Scope): CollectionField | undefined {
  const [bare = ''] = path.replace(/:\w+$/, '').split('\n');
  const segments = bare.split('.');
  const last = segments.pop() ?? '';
  const owner = ownerOf(segments, scope);
  return owner?.fields.find(({ name }) => name === last);
}

function ownerOf(segments: string[], scope: Scope): Collection | undefined {
  const [root, second, ...rest] = segments;
  if (root === '@request') {
    if (second === 'body') {
      return follow(scope.collection, rest, scope);
    }
    const auth = scope.collections.filter(({ type }) => type === 'auth');
    return second === 'auth'
      ? auth.map((one) => follow(one, rest, scope)).find((one) => one !== undefined)
      : undefined;
  }
  if (root === '@collection') {
    return follow(collectionOf(second ?? '', scope), rest, scope);
  }
  return follow(scope.collection, segments, scope);
}

/** The modifiers that may follow a whole path. */
export function modifiersOf(path: string): Name[] {
  const list = path.startsWith('@request.body.') ? [...BODY_MODIFIERS, ...MODIFIERS] : MODIFIERS;
  const all =
    path.startsWith('@request.') && !path.startsWith('@request.body.')
      ? [BODY_MODIFIERS[0], ...MODIFIERS]
      : list;
  return all.flatMap((entry) => (entry ? [{ name: entry[0], detail: entry[1] }] : []));
}

/** Why a name means nothing here; null where it may mean something. */
export function nameProblem(path: string, scope: Scope): string | null {
  if (/^(true|false|null)$/i.test(path)) {
    return null;
  }
  if (path.startsWith('@') && !/^@(request|collection)\./.test(path)) {
    return MACROS.some(([name]) => name === path) ? null : `There is no ${path}.`;
  }
  const segments = path.split('.');
  if (segments[0] === '@request') {
    return requestProblem(segments, scope);
  }
  if (segments[0] === '@collection') {
    const other = collectionOf(segments[1] ?? '', scope);
    return other
      ? pathProblem(other, segments.slice(2), scope)
      : `There is no collection ${segments[1] ?? ''}.`;
  }
  return pathProblem(scope.collection, segments, scope);
}

function requestProblem(segments: string[], scope: Scope): string | null {
  const [, part = '', ...rest] = segments;
  const [bare] = part.split(':');
  if (bare === 'body' && rest.length > 0) {
    return pathProblem(scope.collection, rest, scope);
  }
  const known = REQUEST.some(({ name }) => name.replace('.', '') === bare);
  return known ? null : `There is no @request.${part}.`;
}

function pathProblem(start: Collection, segments: string[], scope: Scope): string | null {
  let current: Collection | undefined = start;
  for (const [index, segment] of segments.entries()) {
    const [name = ''] = segment.split(':');
    const field: CollectionField | undefined = current?.fields.find((one) => one.name === name);
    const isLast = index === segments.length - 1;
    if (field && (isLast || field.type === 'json' || field.type === 'geoPoint')) {
      return null;
    }
    if (isLast && /^(collectionId|collectionName)$/.test(name)) {
      return null;
    }
    const next: Collection | undefined = current && step(current, segment, scope);
    if (!next) {
      return field
        ? `${name} is no relation, so nothing can follow it.`
        : `${current?.name ?? 'It'} has no field ${name || '(empty)'}.`;
    }
    current = next;
  }
  return null;
}
