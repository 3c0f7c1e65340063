import {
  Button,
  Group,
  Menu,
  Paper,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  Title,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { get } from '@/api/client';
import type { OAuth2Provider } from '@/api/types';
import type { AuthPartProps } from './AuthOptions';
import { ProviderForm } from './ProviderForm';

interface KnownProvider {
  name: string;
  displayName: string;
  logo: string;
}

function useProviders() {
  return useQuery({
    queryKey: ['records', 'oauth2-providers'],
    queryFn: () => get<KnownProvider[]>('/collections/meta/oauth2-providers'),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Signing in at another provider. */
export function OAuth2({ draft, onChange }: AuthPartProps) {
  const { data: known = [] } = useProviders();
  const [opened, setOpened] = useState<string | null>(null);
  const { oauth2 } = draft;
  if (!oauth2) {
    return null;
  }
  const set = (values: Partial<typeof oauth2>) => onChange({ oauth2: { ...oauth2, ...values } });
  const left = known.filter(({ name }) => !oauth2.providers.some((one) => one.name === name));
  const add = (name: string) => {
    set({ providers: [...oauth2.providers, newProvider(name)], enabled: true });
    setOpened(name);
  };
  return (
    <Stack>
      <Switch
        label="Accounts may sign in at one of these providers"
        checked={oauth2.enabled}
        onChange={(event) => set({ enabled: event.currentTarget.checked })}
      />
      {oauth2.providers.map((provider, place) => (
        <Paper key={provider.name} withBorder p="sm">
          <Group justify="space-between">
            <Text fw={600}>
              {provider.displayName ||
                known.find(({ name }) => name === provider.name)?.displayName ||
                provider.name}
            </Text>
            <Group gap={4}>
              <Button
                size="compact-sm"
                variant="subtle"
                aria-expanded={opened === provider.name}
                onClick={() => setOpened(opened === provider.name ? null : provider.name)}
              >
                {opened === provider.name ? 'Close' : 'Edit'}
              </Button>
              <Button
                size="compact-sm"
                variant="subtle"
                color="gray"
                leftSection={<IconTrash size={14} />}
                onClick={() => set({ providers: oauth2.providers.toSpliced(place, 1) })}
              >
                Remove
              </Button>
            </Group>
          </Group>
          <ProviderForm
            provider={provider}
            path={`oauth2.providers.${place}`}
            opened={opened === provider.name}
            onChange={(next) => set({ providers: oauth2.providers.toSpliced(place, 1, next) })}
          />
        </Paper>
      ))}
      <Menu position="bottom-start" width={220}>
        <Menu.Target>
          <Button
            variant="default"
            leftSection={<IconPlus size={16} />}
            disabled={left.length === 0}
            style={{ alignSelf: 'start' }}
          >
            Add a provider
          </Button>
        </Menu.Target>
        <Menu.Dropdown mah={320} style={{ overflowY: 'auto' }}>
          {left.map(({ name, displayName }) => (
            <Menu.Item key={name} onClick={() => add(name)}>
              {displayName}{' '}
              {displayName.toLowerCase() !== name && (
                <Text span c="dimmed" size="xs">
                  {name}
                </Text>
              )}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <MappedFields draft={draft} onChange={onChange} />
    </Stack>
  );
}

function newProvider(name: string): OAuth2Provider {
  return {
    name,
    clientId: '',
    clientSecret: '',
    authURL: '',
    tokenURL: '',
    userInfoURL: '',
    displayName: '',
    pkce: null,
    extra: {},
  };
}

const MAPPED = [
  ['name', 'Full name', ['text']],
  ['avatarURL', 'Picture', ['text', 'url', 'file']],
  ['id', 'The provider’s id', ['text']],
  ['username', 'User name', ['text']],
] as const;

function MappedFields({ draft, onChange }: AuthPartProps) {
  const { oauth2 } = draft;
  if (!oauth2) {
    return null;
  }
  return (
    <div>
      <Title order={3} size="sm" mb={4}>
        What a new account takes over
      </Title>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        {MAPPED.map(([name, label, types]) => (
          <Select
            key={name}
            label={label}
            placeholder="not taken"
            clearable
            data={draft.fields
              .filter((field) => !field.system && (types as readonly string[]).includes(field.type))
              .map((field) => field.name)}
            value={oauth2.mappedFields[name] || null}
            onChange={(value) =>
              onChange({
                oauth2: {
                  ...oauth2,
                  mappedFields: { ...oauth2.mappedFields, [name]: value ?? '' },
                },
              })
            }
          />
        ))}
      </SimpleGrid>
    </div>
  );
}
