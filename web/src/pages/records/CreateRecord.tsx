import { Alert, Button, Group, PasswordInput, Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { post } from '@/api/client';
import type { Collection, RecordRow } from '@/api/types';
import { toastDone } from '@/components/actions';
import { FormError, useServerForm } from '@/components/ServerForm';
import {
  emptyValue,
  enteredFields,
  FieldInput,
  missingFields,
  sentValue,
  valueProblem,
} from './fields';
import { recordsPath } from './queries';

/** The form for a new record, made from the collection's fields. */
export function CreateRecord({
  collection,
  onDone,
}: {
  collection: Collection;
  onDone: () => void;
}) {
  const client = useQueryClient();
  const fields = enteredFields(collection.fields);
  const missing = missingFields(collection.fields);
  const withPassword = fields.some(({ type }) => type === 'password');
  const form = useServerForm<Record<string, unknown>>({
    initialValues: {
      ...Object.fromEntries(fields.map((field) => [field.name, emptyValue(field)])),
      ...(withPassword ? { passwordConfirm: '' } : {}),
    },
    validate: (values) => {
      const problems = Object.fromEntries(
        fields.flatMap((field) => {
          const problem = valueProblem(field, values[field.name]);
          return problem ? [[field.name, problem]] : [];
        }),
      );
      if (withPassword && values.password !== values.passwordConfirm) {
        problems.passwordConfirm = 'The two passwords are not the same.';
      }
      return problems;
    },
    submit: async (values) => {
      const body = Object.fromEntries(
        fields.map((field) => [field.name, sentValue(field, values[field.name])]),
      );
      if (withPassword) {
        body.passwordConfirm = values.passwordConfirm;
      }
      const record = await post<RecordRow>(recordsPath(collection.name), body);
      await client.invalidateQueries({ queryKey: ['records', collection.name] });
      toastDone(`The record ${record.id} is created.`);
      onDone();
    },
  });
  return (
    <form onSubmit={form.onSubmit} noValidate>
      <Stack>
        <FormError form={form} />
        {missing.length > 0 && (
          <Alert color="orange" variant="light">
            This form cannot enter {missing.map(({ name }) => name).join(', ')}. Create such records
            with the API.
          </Alert>
        )}
        {fields.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            props={{
              ...form.getInputProps(field.name, {
                type: field.type === 'bool' ? 'checkbox' : 'input',
              }),
            }}
          />
        ))}
        {withPassword && (
          <PasswordInput
            label="Password again"
            autoComplete="new-password"
            {...form.getInputProps('passwordConfirm')}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={form.busy}>
            Create
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
