import { MultiSelect, NumberInput, Select, Switch, Textarea, TextInput } from '@mantine/core';
import type { Collection, CollectionField, RecordRow } from '@/api/types';
import type { GeoPoint } from '../place/point';
import { EditorControl } from './EditorControl';
import { FileControl } from './FileControl';
import { JsonControl } from './JsonControl';
import { PasswordControl } from './PasswordControl';
import { PlaceControl } from './PlaceControl';
import { RelationControl } from './RelationControl';
import { type FileValue, fromLocalInput, isMultiple, toLocalInput } from './values';

export interface FieldControlProps {
  collection: Collection;
  field: CollectionField;
  /** Whether it takes the focus when the form opens. */
  isFirst?: boolean;
  record: RecordRow | null;
  value: unknown;
  onChange: (value: unknown) => void;
  error?: string | undefined;
}

const LINE_LENGTH = 80;

/** Whether a text needs more than a line: an input of one line would drop its line breaks. */
export function isLong(value: unknown): boolean {
  return typeof value === 'string' && (value.length > LINE_LENGTH || value.includes('\n'));
}

/** The input of a field. */
export function FieldControl(props: FieldControlProps) {
  const { field, value, onChange, error } = props;
  const text = typeof value === 'string' ? value : '';
  const common = {
    label: field.hidden ? `${field.name} (hidden)` : field.name,
    description: field.help || undefined,
    // What the server makes by itself need not be entered.
    withAsterisk: (field.required ?? false) && !field.autogeneratePattern,
    error,
    'data-autofocus': props.isFirst || undefined,
  };
  switch (field.type) {
    case 'bool':
      return (
        <Switch
          label={common.label}
          description={common.description}
          error={error}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'number':
      return (
        <NumberInput
          {...common}
          allowDecimal={!field.onlyInt}
          value={value as number | string}
          onChange={onChange}
        />
      );
    case 'select':
      return isMultiple(field) ? (
        <MultiSelect
          {...common}
          searchable
          clearable
          data={field.values ?? []}
          maxValues={field.maxSelect ?? 1}
          value={value as string[]}
          onChange={onChange}
        />
      ) : (
        <Select
          {...common}
          searchable
          clearable
          data={field.values ?? []}
          value={text || null}
          onChange={(next) => onChange(next ?? '')}
        />
      );
    case 'relation':
      return (
        <RelationControl
          field={field}
          value={value as string | string[]}
          onChange={onChange}
          error={error}
        />
      );
    case 'file':
      return <FileControl {...props} value={value as FileValue} />;
    case 'json':
      return <JsonControl {...common} value={text} onChange={onChange} />;
    case 'editor':
      return <EditorControl {...common} value={text} onChange={onChange} />;
    case 'password':
      return (
        <PasswordControl
          {...common}
          isNew={props.record === null}
          value={text}
          onChange={onChange}
        />
      );
    case 'geoPoint':
      return <PlaceControl {...common} value={value as GeoPoint} onChange={onChange} />;
    case 'date':
      return (
        <TextInput
          {...common}
          description={
            common.description ?? (text ? `${text.slice(0, 19)} UTC` : 'In your time zone')
          }
          type="datetime-local"
          step={1}
          value={toLocalInput(text)}
          onChange={(event) => onChange(fromLocalInput(event.currentTarget.value))}
        />
      );
    default:
      return <TextControl {...props} common={common} text={text} />;
  }
}

const INPUT_TYPES: Record<string, string> = { email: 'email', url: 'url' };

function TextControl({
  field,
  onChange,
  common,
  text,
  record,
}: FieldControlProps & { common: object; text: string }) {
  const onText = (event: { currentTarget: { value: string } }) =>
    onChange(event.currentTarget.value);
  // What was long when the form opened stays in a larger input.
  if (field.type === 'text' && (isLong(text) || isLong(record?.[field.name]))) {
    return (
      <Textarea {...common} autosize minRows={2} maxRows={14} value={text} onChange={onText} />
    );
  }
  return (
    <TextInput
      {...common}
      type={INPUT_TYPES[field.type] ?? 'text'}
      placeholder={field.autogeneratePattern ? 'made automatically' : ''}
      value={text}
      onChange={onText}
    />
  );
}
