import { Alert, Button, Group, Modal, NumberInput, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Collection, RecordRow } from '@/api/types';
import { Copyable } from '@/components/Copyable';
import { ErrorState } from '@/components/states';
import { formatDuration } from '@/format';
import { recordTitle } from '../queries';
import { impersonate } from './queries';

interface ImpersonateProps {
  opened: boolean;
  onClose: () => void;
  collection: Collection;
  record: RecordRow;
}

const DEFAULT_SECONDS = 3600;

/** Makes a token with which anything can be done as an account. */
export function Impersonate({ opened, onClose, collection, record }: ImpersonateProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`Act as ${recordTitle(collection, record)}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {opened && <TokenForm collection={collection} record={record} />}
    </Modal>
  );
}

function TokenForm({ collection, record }: Pick<ImpersonateProps, 'collection' | 'record'>) {
  const client = useQueryClient();
  const [seconds, setSeconds] = useState(DEFAULT_SECONDS);
  const token = useMutation({
    mutationFn: () => impersonate(collection.name, record.id, seconds),
    onSuccess: () =>
      client.invalidateQueries({ queryKey: ['sessions', collection.name, record.id] }),
  });
  if (token.data) {
    return (
      <Stack>
        <Alert color="orange" variant="light" icon={<IconAlertTriangle />}>
          <Text size="sm">
            Whoever has this token is this account. It is shown once, cannot be renewed, and ends
            with its session in the list.
          </Text>
        </Alert>
        <Copyable text={token.data.token} />
      </Stack>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        token.mutate();
      }}
    >
      <Stack>
        <NumberInput
          label="Valid for, in seconds"
          description={
            seconds > 0 ? formatDuration(seconds * 1000) : 'As long as the collection’s tokens live'
          }
          min={0}
          allowDecimal={false}
          data-autofocus
          value={seconds}
          onChange={(value) => setSeconds(Number(value) || 0)}
        />
        {token.error && <ErrorState error={token.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={token.isPending}>
            Make a token
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
