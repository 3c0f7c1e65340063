import { Button, NumberInput, Stack, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { confirm } from '@/components/actions';
import { formatDuration } from '@/format';
import { useErrorAt } from '../errors';
import type { AuthPartProps } from './AuthOptions';

type TokenName =
  | 'authToken'
  | 'verificationToken'
  | 'passwordResetToken'
  | 'emailChangeToken'
  | 'fileToken';

const TOKENS: [TokenName, string][] = [
  ['authToken', 'Sign-in'],
  ['verificationToken', 'Verification of the address'],
  ['passwordResetToken', 'New password'],
  ['emailChangeToken', 'New address'],
  ['fileToken', 'Protected files'],
];

const SECRET_LENGTH = 50;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A new secret; the bias of 256 modulo 62 costs less than a bit of 290. */
function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_LENGTH));
  return [...bytes].map((byte) => LETTERS[byte % LETTERS.length]).join('');
}

/** How long tokens live, and a way to end all of a kind. */
export function Tokens(props: AuthPartProps) {
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        Ending all tokens of a kind gives it a new secret: whoever holds one has to get another.
      </Text>
      <Table.ScrollContainer minWidth={300}>
        <Table>
          <Table.Tbody>
            {TOKENS.map(([name, label]) => (
              <TokenRow key={name} name={name} label={label} {...props} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}

function TokenRow({
  name,
  label,
  draft,
  onChange,
}: AuthPartProps & { name: TokenName; label: string }) {
  const error = useErrorAt(`${name}.duration`);
  const [renewed, setRenewed] = useState(false);
  const token = draft[name] ?? { duration: 0 };
  return (
    <Table.Tr>
      <Table.Td>
        <NumberInput
          label={`${label}, in seconds`}
          description={formatDuration(token.duration * 1000)}
          min={10}
          allowDecimal={false}
          value={token.duration}
          error={error}
          onChange={(value) => onChange({ [name]: { ...token, duration: Number(value) } })}
        />
      </Table.Td>
      <Table.Td ta="right" valign="bottom">
        <Button
          size="xs"
          variant="default"
          disabled={renewed}
          onClick={() =>
            confirm({
              title: `End all tokens: ${label.toLowerCase()}?`,
              text: 'It happens when the collection is saved, for all of its accounts.',
              verb: 'End them',
              onConfirm: () => {
                setRenewed(true);
                onChange({ [name]: { ...token, secret: newSecret() } });
              },
            })
          }
        >
          {renewed ? 'Ended on saving' : 'End all'}
        </Button>
      </Table.Td>
    </Table.Tr>
  );
}
