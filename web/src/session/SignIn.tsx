import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { isNotEmpty } from '@mantine/form';
import { useEffect, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { FormError, useServerForm } from '@/components/ServerForm';
import { Frame } from './Frame';
import { localPath } from './return-url';
import { SecondSignIn } from './SecondSignIn';
import { requestCode, type SecondStep, useSession, useSessionActions } from './session';

/** Sign-in with e-mail and password; leads back to where the person was. */
export default function SignIn() {
  const { data: session } = useSession();
  const { signIn, reload } = useSessionActions();
  const [, navigate] = useLocation();
  const target = localPath(new URLSearchParams(useSearch()).get('return'));
  const [second, setSecond] = useState<(SecondStep & { email: string }) | null>(null);
  const form = useServerForm({
    initialValues: { email: '', password: '' },
    validate: {
      email: isNotEmpty('Enter your e-mail address.'),
      password: isNotEmpty('Enter your password.'),
    },
    submit: async ({ email, password }) => {
      const { mfaId } = await signIn(email.trim(), password);
      if (mfaId) {
        setSecond({ email: email.trim(), mfaId, otpId: await requestCode(email.trim()) });
      }
    },
  });

  // After a lost session the CSRF token is stale as well.
  useEffect(() => {
    void reload().catch(() => {});
  }, [reload]);

  const signedIn = Boolean(session?.identity);
  useEffect(() => {
    if (signedIn) {
      navigate(target, { replace: true });
    }
  }, [signedIn, target, navigate]);

  if (second) {
    return <SecondSignIn second={second} onBack={() => setSecond(null)} />;
  }
  return (
    <Frame title="Sign in">
      <form onSubmit={form.onSubmit} noValidate>
        <Stack>
          <FormError form={form} />
          <TextInput
            label="E-mail"
            type="email"
            name="email"
            autoComplete="username"
            autoFocus
            {...form.getInputProps('email')}
          />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            {...form.getInputProps('password')}
          />
          <Button type="submit" loading={form.busy} fullWidth>
            Sign in
          </Button>
        </Stack>
      </form>
    </Frame>
  );
}
