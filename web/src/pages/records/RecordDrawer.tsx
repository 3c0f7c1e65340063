import { Button, Drawer, Group, Skeleton, Stack } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Collection, RecordRow } from '@/api/types';
import { ErrorState } from '@/components/states';
import { mayLeave } from '@/components/unsaved';
import { RecordForm } from './form/RecordForm';
import { useRecord } from './queries';
import { RecordMenu } from './RecordMenu';
import { RecordValues } from './RecordValues';

interface RecordDrawerProps {
  collection: Collection;
  /** Its id, `new`, or null while nothing is open. */
  open: string | null;
  onOpen: (id: string | null) => void;
}

/** A record beside the grid: changed, made, or, in a view, looked at. */
export function RecordDrawer({ collection, open, onOpen }: RecordDrawerProps) {
  const [template, setTemplate] = useState<RecordRow | undefined>();
  const close = () => {
    setTemplate(undefined);
    onOpen(null);
  };
  return (
    <Drawer
      opened={open !== null}
      onClose={() => mayLeave() && close()}
      size="xl"
      title={open === 'new' ? `New record in ${collection.name}` : (open ?? '')}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {open === 'new' && (
        <RecordForm
          collection={collection}
          record={null}
          template={template}
          onDone={close}
          onCancel={() => mayLeave() && close()}
        />
      )}
      {open !== null && open !== 'new' && (
        <Existing
          key={open}
          collection={collection}
          id={open}
          onClose={close}
          onDuplicate={(record) => {
            setTemplate(record);
            onOpen('new');
          }}
        />
      )}
    </Drawer>
  );
}

interface ExistingProps {
  collection: Collection;
  id: string;
  onClose: () => void;
  onDuplicate: (record: RecordRow) => void;
}

function Existing({ collection, id, onClose, onDuplicate }: ExistingProps) {
  const { data: record, error, refetch } = useRecord<RecordRow>(collection.name, id);
  if (!record) {
    return error ? (
      <ErrorState error={error} retry={() => void refetch()} />
    ) : (
      <Skeleton height={240} />
    );
  }
  const href = `/records/${encodeURIComponent(collection.name)}/${encodeURIComponent(id)}`;
  return (
    <Stack>
      <Group justify="flex-end" gap="xs">
        <Button
          component={Link}
          href={href}
          variant="default"
          leftSection={<IconExternalLink size={16} />}
        >
          {collection.type === 'auth' ? 'Account and sessions' : 'Open the page'}
        </Button>
        <RecordMenu
          collection={collection}
          record={record}
          onDeleted={onClose}
          onDuplicate={() => onDuplicate(record)}
        />
      </Group>
      {collection.type === 'view' ? (
        <RecordValues collection={collection} record={record} />
      ) : (
        <RecordForm
          collection={collection}
          record={record}
          onDone={onClose}
          onCancel={() => mayLeave() && onClose()}
        />
      )}
    </Stack>
  );
}
