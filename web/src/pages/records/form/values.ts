/** What a form holds of a record, and what is sent for it. */

import type { Collection, CollectionField, RecordRow } from '@/api/types';
import { type GeoPoint, isPlace } from '../place/point';

/** The files of a field: those that stay and those that come. */
export interface FileValue {
  stored: string[];
  removed: string[];
  added: File[];
}

export type FormValues = Record<string, unknown>;

/** Whether a field holds several values at once. */
export function isMultiple({ type, maxSelect = 1 }: CollectionField): boolean {
  return (type === 'select' || type === 'file' || type === 'relation') && maxSelect > 1;
}

/** The fields that a form shows: what the server sets itself is left out. */
export function formFields(collection: Collection, isNew: boolean): CollectionField[] {
  return collection.fields.filter(
    ({ name, type }) => type !== 'autodate' && name !== 'tokenKey' && (isNew || name !== 'id'),
  );
}

/** What the form holds for a record, or for a new one. */
export function initialValues(fields: CollectionField[], record: RecordRow | null): FormValues {
  return Object.fromEntries(
    fields.map((field) => [field.name, initial(field, record?.[field.name])]),
  );
}

function initial(field: CollectionField, value: unknown): unknown {
  switch (field.type) {
    case 'bool':
      return value === true;
    case 'number':
      return typeof value === 'number' ? value : '';
    case 'json':
      return value === undefined || value === null ? '' : JSON.stringify(value, null, 2);
    case 'file':
      return { stored: list(value), removed: [], added: [] } satisfies FileValue;
    case 'select':
    case 'relation':
      return isMultiple(field) ? list(value) : (list(value)[0] ?? '');
    case 'geoPoint':
      return point(value);
    case 'password':
      return '';
    default:
      return typeof value === 'string' ? value : '';
  }
}

function list(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.map(String);
  }
  return typeof value === 'string' && value !== '' ? [value] : [];
}

function point(value: unknown): GeoPoint {
  const { lon, lat } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Partial<GeoPoint>;
  return { lon: lon ?? 0, lat: lat ?? 0 };
}

/** What is wrong with the values before they are sent, by field. */
export function valueProblems(fields: CollectionField[], values: FormValues, isNew: boolean) {
  const problems: Record<string, string> = {};
  for (const field of fields) {
    const problem = valueProblem(field, values[field.name], isNew);
    if (problem) {
      problems[field.name] = problem;
    }
  }
  if (values.password && values.password !== values.passwordConfirm) {
    problems.passwordConfirm = 'The two passwords are not the same.';
  }
  return problems;
}

function valueProblem(field: CollectionField, value: unknown, isNew: boolean): string | null {
  if (field.type === 'json' && !isJson(String(value ?? ''))) {
    return 'This is not JSON.';
  }
  const canBeLeftOut = field.name === 'id' || field.autogeneratePattern || field.type === 'bool';
  const keepsOld = field.type === 'password' && !isNew;
  if (field.required && !canBeLeftOut && !keepsOld && isEmpty(field, value)) {
    return 'This field is required.';
  }
  return null;
}

function isEmpty({ type }: CollectionField, value: unknown): boolean {
  if (type === 'file') {
    const { stored, removed, added } = value as FileValue;
    return stored.length - removed.length + added.length === 0;
  }
  if (type === 'geoPoint') {
    return !isPlace(value as GeoPoint);
  }
  return (
    value === '' || value === null || value === 0 || (Array.isArray(value) && value.length === 0)
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text || 'null');
    return true;
  } catch {
    return false;
  }
}

/** The body of the request: plain JSON, or a form where there are files to upload. */
export function bodyOf(
  fields: CollectionField[],
  before: FormValues,
  after: FormValues,
  isNew: boolean,
): Record<string, unknown> | FormData | null {
  const json: Record<string, unknown> = {};
  const files: [string, File][] = [];
  for (const field of fields) {
    const { name } = field;
    if (field.type === 'file') {
      addFiles(field, after[name] as FileValue, json, files);
    } else if (JSON.stringify(before[name]) !== JSON.stringify(after[name])) {
      json[name] = sent(field, after[name]);
    }
  }
  if (json.password !== undefined) {
    json.passwordConfirm = after.passwordConfirm;
  }
  if (files.length === 0) {
    return isNew || Object.keys(json).length > 0 ? json : null;
  }
  const form = new FormData();
  form.set('@jsonPayload', JSON.stringify(json));
  for (const [key, file] of files) {
    form.append(key, file, file.name);
  }
  return form;
}

function addFiles(
  field: CollectionField,
  { removed, added }: FileValue,
  json: Record<string, unknown>,
  files: [string, File][],
): void {
  const many = isMultiple(field);
  for (const file of added) {
    files.push([many ? `${field.name}+` : field.name, file]);
  }
  if (removed.length > 0 && many) {
    json[`${field.name}-`] = removed;
  } else if (removed.length > 0 && added.length === 0) {
    json[field.name] = '';
  }
}

function sent({ type }: CollectionField, value: unknown): unknown {
  switch (type) {
    case 'json':
      return JSON.parse(String(value) || 'null');
    case 'number':
      return value === '' ? null : Number(value);
    default:
      return value ?? '';
  }
}

/** The value of a `datetime-local` input, in the reader's time zone, for a stored moment. */
export function toLocalInput(stored: string): string {
  const ms = Date.parse(stored.replace(' ', 'T'));
  if (Number.isNaN(ms)) {
    return '';
  }
  const date = new Date(ms);
  const local = new Date(ms - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}

/** The moment that a `datetime-local` input stands for, as PocketBase writes it. */
export function fromLocalInput(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().replace('T', ' ');
}
