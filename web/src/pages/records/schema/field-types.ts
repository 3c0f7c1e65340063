/** The types of fields with their options. */

import {
  IconAt,
  IconBraces,
  IconCalendar,
  IconCalendarTime,
  IconHash,
  IconLetterCase,
  IconLink,
  IconListCheck,
  IconLock,
  IconMapPin,
  IconPaperclip,
  IconSitemap,
  IconTextPlus,
  IconToggleRight,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';
import type { CollectionField, FieldType } from '@/api/types';

export type OptionKind =
  | 'count'
  | 'number'
  | 'text'
  | 'switch'
  | 'list'
  | 'date'
  | 'bytes'
  | 'collection'
  | 'maxSelect';

/** An option that a type of field has. */
export interface Option {
  name: keyof CollectionField;
  label: string;
  kind: OptionKind;
  help?: string;
  placeholder?: string;
}

export interface FieldTypeInfo {
  label: string;
  icon: ComponentType<{ size?: number }>;
  hint: string;
  defaults: Partial<CollectionField>;
  options: Option[];
  /** What `required` means for it; it cannot be required where this is missing. */
  required?: string;
}

const LENGTH: Option[] = [
  { name: 'min', label: 'Shortest length', kind: 'count', placeholder: 'no limit' },
  { name: 'max', label: 'Longest length', kind: 'count', placeholder: 'the default, 5000' },
];

const DOMAINS: Option[] = [
  { name: 'onlyDomains', label: 'Only these domains', kind: 'list', placeholder: 'example.com' },
  {
    name: 'exceptDomains',
    label: 'All but these domains',
    kind: 'list',
    placeholder: 'example.com',
  },
];

const MAX_SELECT: Option = { name: 'maxSelect', label: 'How many', kind: 'maxSelect' };

const PATTERN: Option = {
  name: 'pattern',
  label: 'Pattern',
  kind: 'text',
  placeholder: '^[a-z0-9]+$',
  help: 'A regular expression (RE2) that values match.',
};

const NOT_EMPTY = 'Must not be empty';

export const FIELD_TYPES: Record<FieldType, FieldTypeInfo> = {
  text: {
    label: 'Text',
    icon: IconLetterCase,
    hint: 'Plain text',
    defaults: { min: 0, max: 0, pattern: '', autogeneratePattern: '' },
    required: NOT_EMPTY,
    options: [
      ...LENGTH,
      PATTERN,
      {
        name: 'autogeneratePattern',
        label: 'Made from',
        kind: 'text',
        placeholder: '[a-z0-9]{15}',
        help: 'What an empty value of a new record is made from.',
      },
    ],
  },
  editor: {
    label: 'Rich text',
    icon: IconTextPlus,
    hint: 'HTML',
    defaults: { maxSize: 0, convertURLs: false },
    required: NOT_EMPTY,
    options: [
      { name: 'maxSize', label: 'Largest size in bytes', kind: 'bytes', placeholder: '5 MB' },
      { name: 'convertURLs', label: 'Strip the URL’s domain from links', kind: 'switch' },
    ],
  },
  number: {
    label: 'Number',
    icon: IconHash,
    hint: 'Whole or decimal',
    defaults: { min: null, max: null, onlyInt: false },
    required: 'Must not be 0',
    options: [
      { name: 'min', label: 'Smallest', kind: 'number' },
      { name: 'max', label: 'Largest', kind: 'number' },
      { name: 'onlyInt', label: 'Whole numbers alone', kind: 'switch' },
    ],
  },
  bool: {
    label: 'Yes or no',
    icon: IconToggleRight,
    hint: 'true or false',
    defaults: {},
    required: 'Must be true',
    options: [],
  },
  email: {
    label: 'E-mail',
    icon: IconAt,
    hint: 'An e-mail address',
    defaults: { onlyDomains: [], exceptDomains: [] },
    required: NOT_EMPTY,
    options: DOMAINS,
  },
  url: {
    label: 'URL',
    icon: IconLink,
    hint: 'A web address',
    defaults: { onlyDomains: [], exceptDomains: [] },
    required: NOT_EMPTY,
    options: DOMAINS,
  },
  date: {
    label: 'Date and time',
    icon: IconCalendar,
    hint: 'A moment',
    defaults: { min: '', max: '' },
    required: NOT_EMPTY,
    options: [
      { name: 'min', label: 'Earliest', kind: 'date' },
      { name: 'max', label: 'Latest', kind: 'date' },
    ],
  },
  autodate: {
    label: 'Automatic date',
    icon: IconCalendarTime,
    hint: 'Set by the server',
    defaults: { onCreate: true, onUpdate: false },
    options: [
      { name: 'onCreate', label: 'When a record is created', kind: 'switch' },
      { name: 'onUpdate', label: 'When a record is changed', kind: 'switch' },
    ],
  },
  select: {
    label: 'Choice',
    icon: IconListCheck,
    hint: 'From a list of values',
    defaults: { values: [], maxSelect: 1 },
    required: NOT_EMPTY,
    options: [
      { name: 'values', label: 'Values', kind: 'list', placeholder: 'Add with Enter' },
      MAX_SELECT,
    ],
  },
  file: {
    label: 'File',
    icon: IconPaperclip,
    hint: 'Uploads',
    defaults: { maxSelect: 1, maxSize: 0, mimeTypes: [], thumbs: [], protected: false },
    required: NOT_EMPTY,
    options: [
      MAX_SELECT,
      { name: 'maxSize', label: 'Largest size in bytes', kind: 'bytes', placeholder: '5 MB' },
      {
        name: 'mimeTypes',
        label: 'Only these types',
        kind: 'list',
        placeholder: 'image/png',
        help: 'The type is read from the content, not from the name.',
      },
      {
        name: 'thumbs',
        label: 'Thumbnails',
        kind: 'list',
        placeholder: '100x100',
        help: 'Width x height; t, b crop from the top or bottom, f fits; 0 keeps the ratio.',
      },
      { name: 'protected', label: 'Protected: only with a file token', kind: 'switch' },
    ],
  },
  relation: {
    label: 'Relation',
    icon: IconSitemap,
    hint: 'Records elsewhere',
    defaults: { collectionId: '', cascadeDelete: false, minSelect: 0, maxSelect: 1 },
    required: NOT_EMPTY,
    options: [
      { name: 'collectionId', label: 'Collection', kind: 'collection' },
      MAX_SELECT,
      { name: 'minSelect', label: 'At least', kind: 'count', placeholder: 'none' },
      {
        name: 'cascadeDelete',
        label: 'Delete this record with the one it refers to',
        kind: 'switch',
      },
    ],
  },
  json: {
    label: 'JSON',
    icon: IconBraces,
    hint: 'Any structure',
    defaults: { maxSize: 0 },
    required: 'Must not be null or empty',
    options: [
      { name: 'maxSize', label: 'Largest size in bytes', kind: 'bytes', placeholder: '1 MB' },
    ],
  },
  geoPoint: {
    label: 'Place',
    icon: IconMapPin,
    hint: 'Longitude and latitude',
    defaults: {},
    required: 'Must not be 0, 0',
    options: [],
  },
  password: {
    label: 'Password',
    icon: IconLock,
    hint: 'Stored as a hash',
    defaults: { min: 8, max: 0, pattern: '', cost: 0 },
    required: NOT_EMPTY,
    options: [
      ...LENGTH.map((option) => ({ ...option, placeholder: 'the default' })),
      PATTERN,
      { name: 'cost', label: 'Hashing cost', kind: 'count', placeholder: 'the default' },
    ],
  },
};

/** The types in the order in which they are offered. */
export const FIELD_TYPE_NAMES = Object.keys(FIELD_TYPES) as FieldType[];

/** What is known of a type; one of a newer server counts as text. */
export function fieldType(type: string): FieldTypeInfo {
  return FIELD_TYPES[type as FieldType] ?? FIELD_TYPES.text;
}
