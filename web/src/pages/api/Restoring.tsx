import { Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { toastDone } from '@/components/actions';
import { useServices } from '@/pages/network/services';

interface RestoringProps {
  /** The backup that mito starts anew with. */
  name: string;
  onDone: () => void;
}

/** Waits until mito has started anew with a backup; then everything shown is asked for again. */
export function Restoring({ name, onDone }: RestoringProps) {
  const client = useQueryClient();
  const { data } = useServices();
  const since = data?.find((service) => service.name === 'api')?.since_ms;
  const [before, setBefore] = useState(since);
  const isBack = before !== undefined && since !== undefined && since !== before;
  useEffect(() => {
    if (before === undefined) {
      setBefore(since);
    }
  }, [before, since]);
  useEffect(() => {
    if (isBack) {
      void client.invalidateQueries();
      toastDone(`mito runs with the data of ${name}.`);
      onDone();
    }
  }, [isBack, client, name, onDone]);
  return (
    <Modal opened onClose={() => {}} withCloseButton={false} title="mito starts anew">
      <Group wrap="nowrap" align="flex-start" role="status">
        <Loader size="sm" mt={2} />
        <Stack gap={4}>
          <Text size="sm">{name} takes the place of the data.</Text>
          <Text size="sm" c="dimmed">
            This page goes on by itself as soon as mito answers again.
          </Text>
        </Stack>
      </Group>
    </Modal>
  );
}
