/** Fields of a collection: how a value is shown and how one is entered. */

import {
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

/** What an empty form holds for a field. */
export function emptyValue({ type }: CollectionField): string | boolean {
  return type === 'bool' ? false : '';
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
  if (field.required && field.type !== 'bool' && (value === '' || value === null)) {
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

/** The input of a field; `props` are those of the form. */
export function FieldInput({
  field,
  props,
}: {
  field: CollectionField;
  props: Record<string, unknown>;
}): ReactNode {
  const common = { label: field.name, withAsterisk: field.required ?? false, ...props };
  switch (field.type) {
    case 'bool':
      return <Switch label={field.name} {...props} />;
    case 'number':
      return <NumberInput {...common} />;
    case 'select':
      return <Select data={field.values ?? []} clearable {...common} />;
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
      return <TextInput {...common} />;
  }
}
