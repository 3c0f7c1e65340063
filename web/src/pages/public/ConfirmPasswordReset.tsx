import { Button, PasswordInput, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { FormError, useServerForm } from '@/components/ServerForm';
import { useConfirm } from './confirm';
import { Done, LinkPage } from './Link';
import type { LinkToken } from './token';

/** Sets a new password. */
export default function ConfirmPasswordReset() {
  return (
    <LinkPage title="Set a new password">
      {(token, read) => <Reset token={token} read={read} />}
    </LinkPage>
  );
}

function Reset({ token, read }: { token: string; read: LinkToken }) {
  const confirm = useConfirm('confirm-password-reset', read.collectionId);
  const [done, setDone] = useState(false);
  const form = useServerForm({
    initialValues: { password: '', passwordConfirm: '' },
    validate: {
      password: (value) => (value === '' ? 'Enter a password.' : null),
      passwordConfirm: (value, values) =>
        value === values.password ? null : 'The two passwords are not the same.',
    },
    submit: async (values) => {
      await confirm({ token, ...values });
      setDone(true);
    },
  });
  if (done) {
    return <Done>The password is set. You can sign in with it now, and close this page.</Done>;
  }
  return (
    <form onSubmit={form.onSubmit} noValidate>
      <Stack>
        <FormError form={form} />
        {read.email && (
          <Text size="sm">
            For <b>{read.email}</b>
          </Text>
        )}
        <PasswordInput
          label="New password"
          autoComplete="new-password"
          autoFocus
          {...form.getInputProps('password')}
        />
        <PasswordInput
          label="Password again"
          autoComplete="new-password"
          {...form.getInputProps('passwordConfirm')}
        />
        <Button type="submit" loading={form.busy}>
          Set the password
        </Button>
      </Stack>
    </form>
  );
}
