import {
  Collapse,
  Input,
  JsonInput,
  PasswordInput,
  Select,
  SimpleGrid,
  TextInput,
} from '@mantine/core';
import { useContext, useState } from 'react';
import type { OAuth2Provider } from '@/api/types';
import { Copyable } from '@/components/Copyable';
import { serviceUrl } from '@/pages/network/services';
import { ErrorsContext, hasErrorBelow } from '../errors';

interface ProviderFormProps {
  provider: OAuth2Provider;
  /** Where the server's messages about it lie. */
  path: string;
  opened: boolean;
  onChange: (provider: OAuth2Provider) => void;
}

const URLS = [
  ['authURL', 'Authorization URL'],
  ['tokenURL', 'Token URL'],
  ['userInfoURL', 'User information URL'],
] as const;

/** What a provider gave when the application was registered there. */
export function ProviderForm({ provider, path, opened, onChange }: ProviderFormProps) {
  const errors = useContext(ErrorsContext);
  const [extra, setExtra] = useState(() =>
    provider.extra && Object.keys(provider.extra).length > 0
      ? JSON.stringify(provider.extra, null, 2)
      : '',
  );
  const shown = opened || hasErrorBelow(errors, path);
  return (
    <Collapse expanded={shown}>
      {shown && <Registration />}
      {shown && (
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm" pt="sm">
          <TextInput
            label="Client id"
            autoComplete="off"
            spellCheck={false}
            value={provider.clientId}
            error={errors[`${path}.clientId`]}
            onChange={(event) => onChange({ ...provider, clientId: event.currentTarget.value })}
          />
          <PasswordInput
            label="Client secret"
            placeholder={provider.clientSecret === undefined ? 'unchanged' : ''}
            autoComplete="off"
            value={provider.clientSecret ?? ''}
            error={errors[`${path}.clientSecret`]}
            onChange={(event) => onChange({ ...provider, clientSecret: event.currentTarget.value })}
          />
          <TextInput
            label="Shown as"
            placeholder="the provider’s own name"
            value={provider.displayName}
            error={errors[`${path}.displayName`]}
            onChange={(event) => onChange({ ...provider, displayName: event.currentTarget.value })}
          />
          <Select
            label="PKCE"
            allowDeselect={false}
            data={[
              { value: 'default', label: 'As the provider needs it' },
              { value: 'on', label: 'Always' },
              { value: 'off', label: 'Never' },
            ]}
            value={provider.pkce === null ? 'default' : provider.pkce ? 'on' : 'off'}
            onChange={(value) =>
              onChange({ ...provider, pkce: value === 'default' ? null : value === 'on' })
            }
          />
          {URLS.map(([name, label]) => (
            <TextInput
              key={name}
              label={label}
              placeholder="the provider’s own"
              spellCheck={false}
              value={provider[name]}
              error={errors[`${path}.${name}`]}
              onChange={(event) => onChange({ ...provider, [name]: event.currentTarget.value })}
            />
          ))}
          <JsonInput
            label="More options"
            placeholder="{}"
            autosize
            minRows={1}
            validationError="This is not JSON."
            value={extra}
            error={errors[`${path}.extra`]}
            onChange={(text) => {
              setExtra(text);
              const value = parse(text);
              if (value) {
                onChange({ ...provider, extra: value });
              }
            }}
          />
        </SimpleGrid>
      )}
    </Collapse>
  );
}

/** The address that providers want to know before they send anybody back to it. */
function Registration() {
  const api = serviceUrl('api', window.location) ?? 'https://api.example.com';
  return (
    <Input.Wrapper
      label="Redirect address"
      labelElement="div"
      description="Register it at the provider; what it gives you in return goes below."
      pt="sm"
    >
      <Copyable text={`${api}/api/oauth2-redirect`} />
    </Input.Wrapper>
  );
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text || '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
