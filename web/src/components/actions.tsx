/** Things that a person does: with a question first where it cannot be undone, and a toast after. */

import { Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { describe } from './states';

/** Tells that something has been done. */
export function toastDone(message: string): void {
  notifications.show({ message, color: 'teal' });
}

/** Tells that something failed, and why. */
export function toastError(error: unknown): void {
  const { title, detail } = describe(error);
  notifications.show({ title, message: detail, color: 'red', autoClose: 10_000, role: 'alert' });
}

interface ActionOptions<V, R> {
  run: (variables: V) => Promise<R>;
  /** What to say when it worked. */
  done: (variables: V, result: R) => string;
  /** What to load again afterwards. */
  refresh: QueryKey[];
}

/** A mutation that says how it went and reloads what it changed. */
export function useAction<V = void, R = unknown>({ run, done, refresh }: ActionOptions<V, R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: (result, variables) => toastDone(done(variables, result)),
    onError: toastError,
    onSettled: () => Promise.all(refresh.map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}

interface ConfirmOptions {
  title: string;
  text: string;
  /** The verb on the button. */
  verb: string;
  onConfirm: () => void;
}

/** Asks before something that cannot be undone. */
export function confirm({ title, text, verb, onConfirm }: ConfirmOptions): void {
  modals.openConfirmModal({
    title,
    children: <Text size="sm">{text}</Text>,
    labels: { confirm: verb, cancel: 'Cancel' },
    confirmProps: { color: 'red' },
    onConfirm,
  });
}
