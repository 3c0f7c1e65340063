import {
  Button,
  Collapse,
  Group,
  Select,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { IconMailForward } from '@tabler/icons-react';
import { useState } from 'react';
import { post } from '@/api/client';
import { useAction } from '@/components/actions';
import { useCollections } from '@/pages/records/queries';
import {
  NumberSetting,
  SecretSetting,
  SwitchSetting,
  TextSetting,
  useSettingsForm,
} from './inputs';

/** From whom mails come and how they go. */
export function Mail() {
  const { settings, set, errors } = useSettingsForm();
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextSetting path="meta.senderName" label="Sender’s name" />
        <TextSetting path="meta.senderAddress" label="Sender’s address" />
      </SimpleGrid>
      <SwitchSetting
        path="smtp.enabled"
        label="Send with this SMTP server"
        description="Off: as the configuration says, else into the built-in mailbox."
      />
      <Collapse expanded={settings.smtp.enabled}>
        <Stack>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextSetting path="smtp.host" label="Host" />
            <NumberSetting path="smtp.port" label="Port" />
            <TextSetting path="smtp.username" label="User" />
            <SecretSetting path="smtp.password" label="Password" />
            <Select
              label="Sign-in"
              allowDeselect={false}
              data={[
                { value: 'PLAIN', label: 'PLAIN (default)' },
                { value: 'LOGIN', label: 'LOGIN' },
              ]}
              value={settings.smtp.authMethod || 'PLAIN'}
              error={errors['smtp.authMethod']}
              onChange={(value) => set('smtp.authMethod', value)}
            />
            <TextSetting
              path="smtp.localName"
              label="Own name"
              placeholder="localhost"
              description="What EHLO says"
            />
          </SimpleGrid>
          <SwitchSetting
            path="smtp.tls"
            label="TLS from the start"
            description="Off: STARTTLS where the server offers it"
          />
        </Stack>
      </Collapse>
      <TestMail />
    </Stack>
  );
}

const TEMPLATES = [
  { value: 'verification', label: 'Verification of the address' },
  { value: 'password-reset', label: 'New password' },
  { value: 'email-change', label: 'New address' },
  { value: 'otp', label: 'One-time code' },
  { value: 'login-alert', label: 'Sign-in from a new place' },
];

function TestMail() {
  const { data = [] } = useCollections();
  const auth = data.filter(({ type }) => type === 'auth').map(({ name }) => name);
  const [email, setEmail] = useState('');
  const [template, setTemplate] = useState('verification');
  const [collection, setCollection] = useState<string | null>(null);
  const chosen =
    collection ?? auth.find((name) => !name.startsWith('_')) ?? auth[0] ?? '_superusers';
  const test = useAction<void>({
    run: () => post('/settings/test/email', { email, template, collection: chosen }),
    done: () => `The test mail to ${email} is on its way.`,
    refresh: [],
  });
  return (
    <div>
      <Title order={2} size="h3" mb={4}>
        Test mail
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        With the settings that are saved.
      </Text>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <TextInput
          label="To"
          type="email"
          placeholder="you@example.com"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <Select
          label="E-mail"
          allowDeselect={false}
          data={TEMPLATES}
          value={template}
          onChange={(value) => value && setTemplate(value)}
        />
        <Select
          label="Of the collection"
          allowDeselect={false}
          data={auth}
          value={chosen}
          onChange={setCollection}
        />
      </SimpleGrid>
      <Group mt="sm">
        <Button
          variant="default"
          leftSection={<IconMailForward size={16} />}
          disabled={email === ''}
          loading={test.isPending}
          onClick={() => test.mutate()}
        >
          Send
        </Button>
      </Group>
    </div>
  );
}
