import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { isNotEmpty } from '@mantine/form';
import { useState } from 'react';
import { ApiError } from '@/api/client';
import { useAction } from '@/components/actions';
import { FormError, useServerForm } from '@/components/ServerForm';
import { Frame } from './Frame';
import { requestCode, type SecondStep, useSessionActions } from './session';

interface SecondSignInProps {
  second: SecondStep & { email: string };
  onBack: () => void;
}

/** The code that was mailed, where a password alone does not suffice. */
export function SecondSignIn({ second: { email, mfaId, ...first }, onBack }: SecondSignInProps) {
  const { signIn } = useSessionActions();
  const [otpId, setOtpId] = useState(first.otpId);
  const form = useServerForm({
    initialValues: { password: '' },
    validate: { password: isNotEmpty('Enter the code.') },
    submit: async ({ password }) => {
      try {
        await signIn(email, password.replace(/\s/g, ''), { otpId, mfaId });
      } catch (reason) {
        throw inWords(reason);
      }
    },
  });
  const again = useAction<void, string>({
    run: () => requestCode(email),
    done: () => `Another code is on its way to ${email}.`,
    refresh: [],
  });
  return (
    <Frame title="One more step">
      <form onSubmit={form.onSubmit} noValidate>
        <Stack>
          <FormError form={form} />
          <Text size="sm">
            A code is on its way to <b>{email}</b>. It is good for a few minutes.
          </Text>
          <TextInput
            label="Code"
            name="code"
            autoComplete="one-time-code"
            inputMode="numeric"
            autoFocus
            {...form.getInputProps('password')}
          />
          <Button type="submit" loading={form.busy} fullWidth>
            Sign in
          </Button>
          <Group justify="space-between" gap="xs">
            <Button variant="subtle" size="compact-sm" onClick={onBack}>
              Back
            </Button>
            <Button
              variant="subtle"
              size="compact-sm"
              loading={again.isPending}
              onClick={() =>
                again.mutate(undefined, {
                  onSuccess: (id) => {
                    setOtpId(id);
                    form.setFieldValue('password', '');
                  },
                })
              }
            >
              Send another code
            </Button>
          </Group>
        </Stack>
      </form>
    </Frame>
  );
}

/** A wrong code is called by its protocol's name elsewhere. */
function inWords(reason: unknown): unknown {
  return reason instanceof ApiError && /OTP/.test(reason.message)
    ? new ApiError(reason.status, reason.title, 'This code is wrong, or it has expired.')
    : reason;
}
