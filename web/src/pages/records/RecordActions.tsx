import { Button, Drawer } from '@mantine/core';
import { IconPencil, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { remove } from '@/api/client';
import type { Collection, RecordRow } from '@/api/types';
import { confirm, useAction } from '@/components/actions';
import { EditRecord } from './EditRecord';
import { recordsPath } from './queries';

/** What can be done with one record; after its deletion the page of its collection opens. */
export function RecordActions({
  collection,
  record,
}: {
  collection: Collection;
  record: RecordRow;
}) {
  const { name } = collection;
  const [, navigate] = useLocation();
  const [editing, setEditing] = useState(false);
  const deletion = useAction<void>({
    run: async () => {
      await remove(recordsPath(name, record.id));
      navigate(`/records/${encodeURIComponent(name)}`);
    },
    done: () => `The record ${record.id} is deleted.`,
    refresh: [['records', name, 'list']],
  });
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconPencil size={16} />}
        onClick={() => setEditing(true)}
      >
        Edit
      </Button>
      <Button
        variant="default"
        leftSection={<IconTrash size={16} />}
        loading={deletion.isPending}
        onClick={() =>
          confirm({
            title: 'Delete this record?',
            text: `${record.id} in ${name} is removed for good.`,
            verb: 'Delete',
            onConfirm: () => deletion.mutate(),
          })
        }
      >
        Delete
      </Button>
      <Drawer
        opened={editing}
        onClose={() => setEditing(false)}
        title={`Edit ${record.id}`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <EditRecord collection={collection} record={record} onDone={() => setEditing(false)} />
      </Drawer>
    </>
  );
}
