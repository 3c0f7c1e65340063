/** Fields of a collection: how a value is shown and how one is entered. */

import {
  MultiSelect,
  NumberInput,
  PasswordInput,
  Select,
  Switch,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import type { ReactNode } from 'react';
import type { CollectionField, RecordRow } from '@/api/types';
import { CODE_INPUT } from '@/components/code-input';
import { Json } from '@/components/states';
import { Time } from '@/components/Time';
import { parseTime } from '@/format';

const ENTERED = new Set([
  'text',
  'editor',
  'email',
  'url',
  'number',
  'bool',
  'select',
  'date',
  'json',
  'password',
]);

/** The fields that the form for a new record asks for. */
export function enteredFields(fields: CollectionField[]): CollectionField[] {
  return fields.filter(
    ({ name, type }) => name !== 'id' && name !== 'tokenKey' && ENTERED.has(type),
  );
}

/** Fields that a form cannot enter but a record cannot do without. */
export function missingFields(fields: CollectionField[]): CollectionField[] {
  return fields.filter(
    ({ name, type, required }) =>
      required && name !== 'id' && !ENTERED.has(type) && type !== 'autodate',
  );
}

/** Whether a field holds several of its values at once. */
function isMultiple({ type, maxSelect = 1 }: CollectionField): boolean {
  return type === 'select' && maxSelect > 1;
}

/** What an empty form holds for a field. */
export function emptyValue(field: CollectionField): string | boolean | string[] {
  if (isMultiple(field)) {
    return [];
  }
  return field.type === 'bool' ? false : '';
}

/** The fields of a record that the form for changing it asks for: passwords have ways of their own. */
export function changedFields(fields: CollectionField[], record: RecordRow): CollectionField[] {
  return enteredFields(fields).filter(({ name, type }) => type !== 'password' && name in record);
}

/** What the form holds for a record's value. */
export function formValue(field: CollectionField, value: unknown): unknown {
  if (value === null || value === undefined) {
    return emptyValue(field);
  }
  return field.type === 'json' ? JSON.stringify(value, null, 2) : value;
}

/** What is sent for the values that were changed; null empties a field. */
export function changes(
  fields: CollectionField[],
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Record<string, unknown> {
  const changed = fields.filter(
    ({ name }) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  return Object.fromEntries(
    changed.map((field) => [field.name, sentValue(field, after[field.name]) ?? null]),
  );
}

/** What is sent for what was entered; nothing for an empty field. Throws where JSON is none. */
export function sentValue({ type }: CollectionField, value: unknown): unknown {
  if (type === 'bool') {
    return value;
  }
  if (value === '' || value === null || value === undefined) {
    return undefined;
  }
  if (type === 'json') {
    return JSON.parse(String(value));
  }
  return type === 'number' ? Number(value) : value;
}

/** Why an entered value cannot be sent, if so. */
export function valueProblem(field: CollectionField, value: unknown): string | null {
  const isEmpty = value === '' || value === null || (Array.isArray(value) && value.length === 0);
  if (field.required && field.type !== 'bool' && isEmpty) {
    return 'This field is required.';
  }
  try {
    sentValue(field, value);
    return null;
  } catch {
    return 'This is not JSON.';
  }
}

/** A value in a table cell: short. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined || value === '') {
    return '–';
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A value in full. */
export function FieldValue({ field, record }: { field: CollectionField; record: RecordRow }) {
  const value = record[field.name];
  const time = field.type === 'date' || field.type === 'autodate' ? parseTime(value) : null;
  if (time !== null) {
    return <Time ms={time} />;
  }
  if (typeof value === 'object' && value !== null) {
    return <Json value={value} />;
  }
  return (
    <Text component="span" size="sm" style={{ whiteSpace: 'pre-wrap' }}>
      {cellText(value)}
    </Text>
  );
}

const LINE_LENGTH = 80;

/** Whether a text needs more than a line: an input of one line would drop its line breaks. */
export function isLong(value: unknown): boolean {
  return typeof value === 'string' && (value.length > LINE_LENGTH || value.includes('\n'));
}

/** The input of a field; `props` are those of the form. */
export function FieldInput({
  field,
  isLong: long = false,
  props,
}: {
  field: CollectionField;
  isLong?: boolean;
  props: Record<string, unknown>;
}): ReactNode {
  const common = { label: field.name, withAsterisk: field.required ?? false, ...props };
  switch (field.type) {
    case 'bool':
      return <Switch label={field.name} {...props} />;
    case 'number':
      return <NumberInput {...common} />;
    case 'select':
      return isMultiple(field) ? (
        <MultiSelect
          data={field.values ?? []}
          maxValues={field.maxSelect ?? 1}
          clearable
          {...common}
        />
      ) : (
        <Select data={field.values ?? []} clearable {...common} />
      );
    case 'password':
      return <PasswordInput autoComplete="new-password" {...common} />;
    case 'editor':
    case 'json':
      return (
        <Textarea
          autosize
          minRows={3}
          maxRows={12}
          {...(field.type === 'json' ? CODE_INPUT : {})}
          {...common}
        />
      );
    case 'email':
      return <TextInput type="email" {...common} />;
    case 'url':
      return <TextInput type="url" {...common} />;
    case 'date':
      return <TextInput placeholder="2026-01-31 12:00:00Z" {...common} />;
    default:
      return long ? (
        <Textarea autosize minRows={2} maxRows={12} {...common} />
      ) : (
        <TextInput {...common} />
      );
  }
}
