import { Alert, Button, Group, PasswordInput, Stack } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { ApiError, apiUrl, request } from '@/api/client';
import type { Collection, CollectionField, RecordRow } from '@/api/types';
import { toastDone } from '@/components/actions';
import { useUnsavedGuard } from '@/components/unsaved';
import { recordsPath } from '../queries';
import { FieldControl } from './FieldControl';
import { bodyOf, type FormValues, formFields, initialValues, valueProblems } from './values';

interface RecordFormProps {
  collection: Collection;
  /** What is changed; null for a new record. */
  record: RecordRow | null;
  /** What a new record starts with. */
  template?: RecordRow | undefined;
  onDone: (record: RecordRow | null) => void;
  onCancel: () => void;
  /** Told whenever something is or is no longer unsaved. */
  onChanged?: (changed: boolean) => void;
}

/** All fields of a record; what was not touched is not sent. */
export function RecordForm({
  collection,
  record,
  template,
  onDone,
  onCancel,
  onChanged,
}: RecordFormProps) {
  const client = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const isNew = record === null;
  const fields = formFields(collection, isNew);
  // A dialog would take the focus to its close button.
  const first = isNew ? fields.find(takesText)?.name : undefined;
  // As it was when the form opened: the record may be loaded anew while somebody types.
  const [before] = useState(() => initialValues(fields, record));
  const [values, setValues] = useState<FormValues>(() =>
    template ? { ...initialValues(fields, template), id: '', ...withoutFiles(collection) } : before,
  );
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const changed = bodyOfSafely(fields, before, values) !== null;
  const release = useUnsavedGuard(changed && !busy);

  const set = (name: string, value: unknown) => {
    setValues((current) => ({ ...current, [name]: value }));
    setErrors(({ [name]: _gone, ...rest }) => rest);
    onChanged?.(true);
  };
  const show = (found: Record<string, string>) => {
    setErrors(found);
    // In a long form the field that is wrong may be out of sight.
    window.setTimeout(() =>
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"],[data-error]')?.focus(),
    );
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found = valueProblems(fields, values, isNew);
    setProblem(null);
    if (Object.keys(found).length > 0) {
      show(found);
      return;
    }
    const body = bodyOf(fields, before, values, isNew);
    if (body === null) {
      onDone(null);
      return;
    }
    setBusy(true);
    try {
      const url = apiUrl(recordsPath(collection.name, record?.id));
      const saved = await request<RecordRow>(isNew ? 'POST' : 'PATCH', url, body);
      release();
      onChanged?.(false);
      toastDone(
        isNew ? `The record ${saved.id} is created.` : `The record ${saved.id} is changed.`,
      );
      await client.invalidateQueries({ queryKey: ['records', collection.name] });
      onDone(saved);
    } catch (reason) {
      if (!(reason instanceof ApiError)) {
        throw reason;
      }
      const known = new Set([...fields.map(({ name }) => name), 'passwordConfirm']);
      const { here, rest } = split(reason, known);
      show(here);
      setProblem(rest);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form ref={form} onSubmit={(event) => void submit(event)} noValidate>
      <Stack>
        {problem && (
          <Alert color="red" variant="light" icon={<IconAlertTriangle />} role="alert">
            {problem}
          </Alert>
        )}
        {fields.map((field) => (
          <FieldControl
            key={field.name}
            collection={collection}
            field={field}
            isFirst={field.name === first}
            record={record}
            value={values[field.name]}
            error={errors[field.name]}
            onChange={(value) => set(field.name, value)}
          />
        ))}
        {Boolean(values.password) && (
          <PasswordInput
            label="Password again"
            autoComplete="new-password"
            value={String(values.passwordConfirm ?? '')}
            error={errors.passwordConfirm}
            onChange={(event) => set('passwordConfirm', event.currentTarget.value)}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            {isNew ? 'Create' : 'Save'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Files cannot be copied: they belong to one record. */
function withoutFiles(collection: Collection): FormValues {
  const files = collection.fields.filter(({ type }) => type === 'file');
  return Object.fromEntries(
    files.map(({ name }) => [name, { stored: [], removed: [], added: [] }]),
  );
}

function bodyOfSafely(...[fields, before, values]: [Collection['fields'], FormValues, FormValues]) {
  try {
    return bodyOf(fields, before, values, false);
  } catch {
    // JSON that is not finished is a change as well.
    return {};
  }
}

/** Messages for fields of the form, and the rest in a sentence. */
function split(error: ApiError, known: ReadonlySet<string>) {
  const here: Record<string, string> = {};
  const rest: string[] = [];
  for (const [path, message] of Object.entries(error.fields)) {
    // An error inside a value, such as that of one file of several, stands at its field.
    const name = [path, path.split('.')[0] ?? ''].find((one) => known.has(one));
    if (name) {
      here[name] = message;
    } else {
      rest.push(`${path}: ${message}`);
    }
  }
  const silent = rest.length === 0 && Object.keys(here).length > 0;
  return { here, rest: silent ? null : rest.join(' ') || error.message };
}

/** Whether somebody would begin to type in a field. */
function takesText({ name, type, autogeneratePattern }: CollectionField): boolean {
  return name !== 'id' && !autogeneratePattern && ['text', 'email', 'url', 'number'].includes(type);
}
