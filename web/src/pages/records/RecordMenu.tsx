import { ActionIcon, Menu } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import {
  IconBraces,
  IconCopy,
  IconCopyPlus,
  IconDots,
  IconId,
  IconTrash,
} from '@tabler/icons-react';
import { remove } from '@/api/client';
import type { Collection, RecordRow } from '@/api/types';
import { confirm, toastDone, useAction } from '@/components/actions';
import { recordsPath } from './queries';

interface RecordMenuProps {
  collection: Collection;
  record: RecordRow;
  onDeleted: () => void;
  onDuplicate?: () => void;
}

/** What can be done with one record beside changing it. */
export function RecordMenu({ collection, record, onDeleted, onDuplicate }: RecordMenuProps) {
  const { name } = collection;
  const clipboard = useClipboard();
  const copy = (text: string, what: string) => {
    clipboard.copy(text);
    toastDone(`${what} is copied.`);
  };
  const deletion = useAction<void>({
    run: async () => {
      await remove(recordsPath(name, record.id));
      onDeleted();
    },
    done: () => `The record ${record.id} is deleted.`,
    refresh: [['records', name, 'list']],
  });
  return (
    <Menu position="bottom-end" width={200}>
      <Menu.Target>
        <ActionIcon
          variant="default"
          size={36}
          aria-label={`Actions for ${record.id}`}
          loading={deletion.isPending}
        >
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconId size={16} />} onClick={() => copy(record.id, 'The id')}>
          Copy the id
        </Menu.Item>
        <Menu.Item
          leftSection={<IconBraces size={16} />}
          onClick={() => copy(JSON.stringify(record, null, 2), 'The record')}
        >
          Copy as JSON
        </Menu.Item>
        <Menu.Item
          leftSection={<IconCopy size={16} />}
          onClick={() => copy(`${window.location.origin}/records/${name}/${record.id}`, 'The link')}
        >
          Copy the link
        </Menu.Item>
        {onDuplicate && collection.type !== 'view' && (
          <Menu.Item leftSection={<IconCopyPlus size={16} />} onClick={onDuplicate}>
            Duplicate
          </Menu.Item>
        )}
        {collection.type !== 'view' && (
          <>
            <Menu.Divider />
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={16} />}
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
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
