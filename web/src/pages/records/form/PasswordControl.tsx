import { Button, Group, PasswordInput } from '@mantine/core';
import { useState } from 'react';
import type { TextControlProps } from './JsonControl';

const LETTERS = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const LENGTH = 20;

/** A password that nobody guesses, without letters that are confused. */
function suggest(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(LENGTH));
  return [...bytes].map((byte) => LETTERS[byte % LETTERS.length]).join('');
}

/** A new password; the stored one cannot be shown. */
export function PasswordControl({
  isNew,
  value,
  onChange,
  ...common
}: TextControlProps & { isNew: boolean }) {
  const [visible, setVisible] = useState(false);
  return (
    <Group align="flex-end" gap="xs" wrap="nowrap">
      <PasswordInput
        {...common}
        withAsterisk={isNew && common.withAsterisk}
        placeholder={isNew ? '' : 'unchanged'}
        autoComplete="new-password"
        flex={1}
        visible={visible}
        onVisibilityChange={setVisible}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <Button
        variant="default"
        onClick={() => {
          onChange(suggest());
          setVisible(true);
        }}
      >
        Suggest
      </Button>
    </Group>
  );
}
