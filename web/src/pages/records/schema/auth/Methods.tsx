import { MultiSelect, NumberInput, SimpleGrid, Stack, Switch, Text } from '@mantine/core';
import { useMemo } from 'react';
import { FilterInput } from '../../language/FilterInput';
import { useCollections } from '../../queries';
import { useErrorAt } from '../errors';
import { parseIndex } from '../indexes';
import type { AuthPartProps } from './AuthOptions';

/** Signing in with a password. */
export function Passwords({ draft, onChange }: AuthPartProps) {
  const passwordAuth = draft.passwordAuth ?? { enabled: false, identityFields: [] };
  const error = useErrorAt('passwordAuth.identityFields');
  // An identity must be unique, which an index of its own guarantees.
  const unique = draft.indexes.flatMap((sql) => {
    const index = parseIndex(sql);
    return index?.unique && index.columns.length === 1
      ? [index.columns[0]?.split(' ')[0] ?? '']
      : [];
  });
  const names = draft.fields
    .filter(({ name, type }) => unique.includes(name) && type !== 'password' && name !== 'tokenKey')
    .map(({ name }) => name);
  const set = (values: Partial<typeof passwordAuth>) =>
    onChange({ passwordAuth: { ...passwordAuth, ...values } });
  return (
    <Stack>
      <Switch
        label="Accounts may sign in with a password"
        checked={passwordAuth.enabled}
        onChange={(event) => set({ enabled: event.currentTarget.checked })}
      />
      <MultiSelect
        label="Sign in with"
        description="Fields with a unique index of their own."
        data={[...new Set([...names, ...passwordAuth.identityFields])]}
        value={passwordAuth.identityFields}
        error={error}
        onChange={(identityFields) => set({ identityFields })}
      />
    </Stack>
  );
}

/** Signing in with a code that is sent by e-mail. */
export function OneTimeCodes({ draft, onChange }: AuthPartProps) {
  const durationError = useErrorAt('otp.duration');
  const lengthError = useErrorAt('otp.length');
  const { otp } = draft;
  if (!otp) {
    return null;
  }
  return (
    <Stack>
      <Switch
        label="Accounts may sign in with a code that is sent to their address"
        checked={otp.enabled}
        onChange={(event) => onChange({ otp: { ...otp, enabled: event.currentTarget.checked } })}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <NumberInput
          label="Valid for, in seconds"
          min={0}
          allowDecimal={false}
          value={otp.duration}
          error={durationError}
          onChange={(value) => onChange({ otp: { ...otp, duration: Number(value) } })}
        />
        <NumberInput
          label="Digits"
          min={4}
          allowDecimal={false}
          value={otp.length}
          error={lengthError}
          onChange={(value) => onChange({ otp: { ...otp, length: Number(value) } })}
        />
      </SimpleGrid>
    </Stack>
  );
}

/** Asking for a second way to sign in after the first. */
export function SecondFactor({ draft, onChange }: AuthPartProps) {
  const durationError = useErrorAt('mfa.duration');
  const ruleError = useErrorAt('mfa.rule');
  const enabledError = useErrorAt('mfa.enabled');
  const { data: collections = [] } = useCollections();
  const scope = useMemo(
    () => ({ collection: draft, collections, isRule: true }),
    [draft, collections],
  );
  const { mfa } = draft;
  if (!mfa) {
    return null;
  }
  return (
    <Stack>
      <Switch
        label="Ask for a second way to sign in"
        description="At least two of password, code and OAuth2 must be on."
        checked={mfa.enabled}
        error={enabledError}
        onChange={(event) => onChange({ mfa: { ...mfa, enabled: event.currentTarget.checked } })}
      />
      <NumberInput
        label="The second must follow within, in seconds"
        min={0}
        allowDecimal={false}
        value={mfa.duration}
        error={durationError}
        onChange={(value) => onChange({ mfa: { ...mfa, duration: Number(value) } })}
      />
      <FilterInput
        label="Only for accounts that match"
        value={mfa.rule}
        scope={scope}
        error={ruleError}
        placeholder="Empty: for all accounts"
        onChange={(rule) => onChange({ mfa: { ...mfa, rule } })}
      />
      <Text size="xs" c="dimmed">
        For example verified = true.
      </Text>
    </Stack>
  );
}
