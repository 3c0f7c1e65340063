import { Alert, Button, PasswordInput, Progress, Stack, Text, TextInput } from '@mantine/core';
import { isEmail } from '@mantine/form';
import { IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { FormError, useServerForm } from '@/components/ServerForm';
import { Frame } from './Frame';
import { MIN_PASSWORD_LENGTH, passwordStrength } from './password';
import { SetupNeeded } from './SetupNeeded';
import { useSession, useSessionActions } from './session';

const COLORS = ['red', 'red', 'yellow', 'mito', 'mito'];

/** Creates the first administrator with the token of the link that the terminal printed. */
export default function Setup() {
  const { data: session } = useSession();
  // The token stands in the fragment, which browsers never send and no log sees.
  const [token] = useState(
    () => new URLSearchParams(window.location.hash.slice(1)).get('token') ?? '',
  );

  if (session && !session.setupNeeded) {
    return (
      <Frame title="Already set up">
        <Text mb="md">This platform has an administrator.</Text>
        <Button component={Link} href="/" fullWidth>
          {session.identity ? 'Open the control panel' : 'Sign in'}
        </Button>
      </Frame>
    );
  }
  if (!token) {
    return <SetupNeeded />;
  }
  return <SetupForm token={token} />;
}

function SetupForm({ token }: { token: string }) {
  const { setUp } = useSessionActions();
  const [, navigate] = useLocation();
  const form = useServerForm({
    initialValues: { email: '', password: '', repeat: '' },
    validate: {
      email: isEmail('Enter an e-mail address.'),
      password: (value) =>
        value.length < MIN_PASSWORD_LENGTH
          ? `Use at least ${MIN_PASSWORD_LENGTH} characters.`
          : null,
      repeat: (value, values) =>
        value === values.password ? null : 'The two passwords are not the same.',
    },
    submit: async ({ email, password }) => {
      await setUp(token, email.trim(), password);
      navigate('/', { replace: true });
    },
  });
  const strength = passwordStrength(form.values.password);

  return (
    <Frame title="Create the administrator">
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
          <div>
            <PasswordInput
              label="Password"
              name="password"
              autoComplete="new-password"
              aria-describedby="strength"
              {...form.getInputProps('password')}
            />
            <Progress
              value={form.values.password ? (strength.score + 1) * 20 : 0}
              color={COLORS[strength.score] ?? 'gray'}
              size="xs"
              mt={6}
              aria-hidden
            />
            <Text id="strength" size="xs" c="dimmed" mt={4} role="status">
              {form.values.password
                ? strength.hint
                : `At least ${MIN_PASSWORD_LENGTH} characters; a few unrelated words work well.`}
            </Text>
          </div>
          <PasswordInput
            label="Password again"
            name="repeat"
            autoComplete="new-password"
            {...form.getInputProps('repeat')}
          />
          <Button type="submit" loading={form.busy} fullWidth>
            Create and sign in
          </Button>
          <Alert variant="light" color="gray" icon={<IconInfoCircle />} p="sm">
            <Text size="sm">
              This link works once. The account may do everything on this platform.
            </Text>
          </Alert>
        </Stack>
      </form>
    </Frame>
  );
}
