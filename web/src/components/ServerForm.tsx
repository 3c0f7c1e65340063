/** Forms whose errors come from the server as well: by field where it names one, else on top. */

import { Alert } from '@mantine/core';
import { type FormErrors, type UseFormInput, type UseFormReturnType, useForm } from '@mantine/form';
import { IconAlertTriangle } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { ApiError } from '@/api/client';

export type ServerForm<V extends Record<string, unknown>> = Omit<
  UseFormReturnType<V>,
  'onSubmit'
> & {
  onSubmit: (event?: FormEvent<HTMLFormElement>) => void;
  /** What is wrong with the request as a whole. */
  problem: string | null;
  busy: boolean;
};

/** A form that calls `submit` once its own checks pass. */
export function useServerForm<V extends Record<string, unknown>>(
  input: UseFormInput<V> & { submit: (values: V) => Promise<unknown> },
): ServerForm<V> {
  const { submit, ...options } = input;
  const form = useForm<V>(options as UseFormInput<V>);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  // In a long form the field that is wrong may be out of sight.
  const focusFirst = (errors: FormErrors): void => {
    const [first] = Object.keys(errors);
    if (first !== undefined) {
      form.getInputNode(first)?.focus();
    }
  };

  const onSubmit = form.onSubmit(async (values) => {
    setProblem(null);
    setBusy(true);
    try {
      await submit(values);
    } catch (reason) {
      const { fields, rest } = splitError(reason, Object.keys(values));
      form.setErrors(fields);
      setProblem(rest);
      focusFirst(fields);
    } finally {
      setBusy(false);
    }
  }, focusFirst);

  return { ...form, onSubmit, problem, busy };
}

/** Errors of fields that the form shows, and what is left to say on top of it. */
export function splitError(
  reason: unknown,
  known: string[],
): { fields: FormErrors; rest: string | null } {
  if (!(reason instanceof ApiError)) {
    throw reason;
  }
  const fields: FormErrors = {};
  const unknown: string[] = [];
  for (const [name, message] of Object.entries(reason.fields)) {
    if (known.includes(name)) {
      fields[name] = message;
    } else {
      unknown.push(name === '' ? message : `${name}: ${message}`);
    }
  }
  if (unknown.length > 0) {
    return { fields, rest: unknown.join(' ') };
  }
  return { fields, rest: Object.keys(fields).length > 0 ? null : reason.message };
}

/** The form's own error, announced when it appears. */
export function FormError({ form }: { form: { problem: string | null } }) {
  return form.problem ? (
    <Alert color="red" variant="light" icon={<IconAlertTriangle />} role="alert">
      {form.problem}
    </Alert>
  ) : null;
}
