import { Button, Group, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { patch } from '@/api/client';
import type { Collection, RecordRow } from '@/api/types';
import { toastDone } from '@/components/actions';
import { FormError, useServerForm } from '@/components/ServerForm';
import { changedFields, changes, FieldInput, formValue, isLong, valueProblem } from './fields';
import { recordsPath } from './queries';

/** The form that changes a record; what was not touched is not sent. */
export function EditRecord({
  collection,
  record,
  onDone,
}: {
  collection: Collection;
  record: RecordRow;
  onDone: () => void;
}) {
  const client = useQueryClient();
  const fields = changedFields(collection.fields, record);
  // As it was when the form opened: the record may be loaded anew while somebody types.
  const [before] = useState(() =>
    Object.fromEntries(fields.map((field) => [field.name, formValue(field, record[field.name])])),
  );
  const form = useServerForm<Record<string, unknown>>({
    initialValues: before,
    validate: (values) =>
      Object.fromEntries(
        fields.flatMap((field) => {
          const problem = valueProblem(field, values[field.name]);
          return problem ? [[field.name, problem]] : [];
        }),
      ),
    submit: async (values) => {
      const body = changes(fields, before, values);
      if (Object.keys(body).length > 0) {
        await patch<RecordRow>(recordsPath(collection.name, record.id), body);
        await client.invalidateQueries({ queryKey: ['records', collection.name] });
        toastDone(`The record ${record.id} is changed.`);
      }
      onDone();
    },
  });
  return (
    <form onSubmit={form.onSubmit} noValidate>
      <Stack>
        <FormError form={form} />
        {fields.length === 0 && (
          <Text size="sm">This record has no fields that a form can change.</Text>
        )}
        {fields.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            isLong={isLong(before[field.name])}
            props={{
              ...form.getInputProps(field.name, {
                type: field.type === 'bool' ? 'checkbox' : 'input',
              }),
            }}
          />
        ))}
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={form.busy} disabled={!form.isDirty()}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
