import { Button, Stack, Text, TextInput } from '@mantine/core';
import { isNotEmpty } from '@mantine/form';
import { FormError, useServerForm } from '@/components/ServerForm';
import { Frame } from './Frame';
import { type SecondStep, useSessionActions } from './session';

interface SecondSignInProps {
  second: SecondStep & { email: string };
  onBack: () => void;
}

/** The code that was mailed, where a password alone does not suffice. */
export function SecondSignIn({ second: { email, ...ids }, onBack }: SecondSignInProps) {
  const { signIn } = useSessionActions();
  const form = useServerForm({
    initialValues: { password: '' },
    validate: { password: isNotEmpty('Enter the code.') },
    submit: ({ password }) => signIn(email, password.trim(), ids),
  });
  return (
    <Frame title="One more step">
      <form onSubmit={form.onSubmit} noValidate>
        <Stack>
          <FormError form={form} />
          <Text size="sm">A code is on its way to {email}.</Text>
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
          <Button variant="subtle" onClick={onBack}>
            Back
          </Button>
        </Stack>
      </form>
    </Frame>
  );
}
