import {
  Group,
  Input,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core';
import type { CollectionField } from '@/api/types';
import { CODE_INPUT } from '@/components/code-input';
import { useCollections } from '../queries';
import type { DraftField } from './draft';
import { useErrorAt } from './errors';
import type { Option } from './field-types';

interface OptionInputProps {
  field: DraftField;
  option: Option;
  onChange: (values: Partial<CollectionField>) => void;
}

/** The input of one option of a field. */
export function OptionInput({ field, option, onChange }: OptionInputProps) {
  const { name, label, kind, help, placeholder } = option;
  const error = useErrorAt(`field:${field.key}.${name}`);
  const value = field[name];
  const set = (next: unknown) => onChange({ [name]: next });
  const common = { label, description: help, placeholder, error };
  switch (kind) {
    case 'switch':
      return (
        <Switch
          label={label}
          description={help}
          error={error}
          checked={value === true}
          onChange={(event) => set(event.currentTarget.checked)}
        />
      );
    case 'count':
    case 'bytes':
      return (
        <NumberInput
          {...common}
          min={0}
          allowDecimal={false}
          thousandSeparator={kind === 'bytes' ? ' ' : ''}
          value={typeof value === 'number' && value !== 0 ? value : ''}
          onChange={(next) => set(next === '' ? 0 : Number(next))}
        />
      );
    case 'number':
      return (
        <NumberInput
          {...common}
          placeholder="no limit"
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => set(next === '' ? null : Number(next))}
        />
      );
    case 'list':
      return (
        <TagsInput
          {...common}
          splitChars={name === 'values' ? [] : [',', ' ']}
          acceptValueOnBlur
          clearable
          value={Array.isArray(value) ? (value as string[]) : []}
          onChange={set}
        />
      );
    case 'collection':
      return <CollectionSelect field={field} error={error} onChange={set} />;
    case 'maxSelect':
      return <MaxSelect field={field} error={error} onChange={set} />;
    case 'date':
      return (
        <TextInput
          {...common}
          placeholder="2026-01-31 12:00:00.000Z"
          value={String(value ?? '')}
          onChange={(event) => set(event.currentTarget.value)}
        />
      );
    case 'text':
      return (
        <TextInput
          {...common}
          {...CODE_INPUT}
          value={String(value ?? '')}
          onChange={(event) => set(event.currentTarget.value)}
        />
      );
  }
}

interface PartProps {
  field: DraftField;
  error: string | undefined;
  onChange: (value: unknown) => void;
}

/** The collection that a relation refers to; it cannot change once it is stored. */
function CollectionSelect({ field, error, onChange }: PartProps) {
  const { data = [] } = useCollections();
  return (
    <Select
      label="Collection"
      searchable
      allowDeselect={false}
      disabled={field.id !== ''}
      error={error}
      data={data
        .filter(({ type }) => type !== 'view')
        .map(({ id, name }) => ({ value: id, label: name }))}
      value={field.collectionId || null}
      onChange={onChange}
    />
  );
}

const MANY = 99;

function MaxSelect({ field, error, onChange }: PartProps) {
  const count = field.maxSelect ?? 0;
  const many = count > 1;
  return (
    <Stack gap={4}>
      <Input.Label component="div">How many</Input.Label>
      <Group gap="xs" wrap="nowrap">
        <SegmentedControl
          aria-label={`How many values ${field.name} holds`}
          data={[
            { value: 'one', label: 'One' },
            { value: 'many', label: 'Several' },
          ]}
          value={many ? 'many' : 'one'}
          onChange={(value) => onChange(value === 'many' ? severalOf(field) : 1)}
        />
        {many && (
          <NumberInput
            aria-label="At most"
            prefix="up to "
            min={2}
            allowDecimal={false}
            w={120}
            value={count}
            onChange={(value) => onChange(Math.max(2, Number(value) || 2))}
          />
        )}
      </Group>
      {error && (
        <Text size="xs" c="var(--mantine-color-error)">
          {error}
        </Text>
      )}
    </Stack>
  );
}

function severalOf({ type, values = [] }: DraftField): number {
  return type === 'select' ? Math.max(2, values.length) : MANY;
}
