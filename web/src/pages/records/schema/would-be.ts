/** The record of a create rule that is tested, before there is one. */

import type { Collection, CollectionField } from '@/api/types';
import { isMultiple } from '../form/values';

/** A record with every field that a request may send, each with an empty value of its type. */
export function recordSkeleton({ fields }: Collection): Record<string, unknown> {
  const sent = fields.filter(
    ({ name, type }) =>
      name !== 'id' && name !== 'tokenKey' && !['autodate', 'file', 'password'].includes(type),
  );
  return Object.fromEntries(sent.map((field) => [field.name, emptyValue(field)]));
}

function emptyValue(field: CollectionField): unknown {
  switch (field.type) {
    case 'bool':
      return false;
    case 'number':
      return 0;
    case 'json':
      return null;
    case 'geoPoint':
      return { lon: 0, lat: 0 };
    case 'select':
    case 'relation':
      return isMultiple(field) ? [] : '';
    default:
      return '';
  }
}

/** The object that a text in JSON stands for; nothing written is an empty one, null is none. */
export function parseObject(text: string): Record<string, unknown> | null {
  if (text.trim() === '') {
    return {};
  }
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
