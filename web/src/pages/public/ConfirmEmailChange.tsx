import { Button, PasswordInput, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { FormError, useServerForm } from '@/components/ServerForm';
import { useConfirm } from './confirm';
import { Done, LinkPage } from './Link';
import type { LinkToken } from './token';

/** Gives an account another e-mail address. */
export default function ConfirmEmailChange() {
  return (
    <LinkPage title="Change your address">
      {(token, read) => <Change token={token} read={read} />}
    </LinkPage>
  );
}

function Change({ token, read }: { token: string; read: LinkToken }) {
  const confirm = useConfirm('confirm-email-change', read.collectionId);
  const [done, setDone] = useState(false);
  const form = useServerForm({
    initialValues: { password: '' },
    validate: { password: (value) => (value === '' ? 'Enter your password.' : null) },
    submit: async ({ password }) => {
      await confirm({ token, password });
      setDone(true);
    },
  });
  if (done) {
    return (
      <Done>The address is {read.newEmail} now. Sign in with it; you can close this page.</Done>
    );
  }
  return (
    <form onSubmit={form.onSubmit} noValidate>
      <Stack>
        <FormError form={form} />
        <Text size="sm">
          To change the address to <b>{read.newEmail || 'the new one'}</b>, enter your password.
        </Text>
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          autoFocus
          {...form.getInputProps('password')}
        />
        <Button type="submit" loading={form.busy}>
          Change the address
        </Button>
      </Stack>
    </form>
  );
}
