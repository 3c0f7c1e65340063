import { ActionIcon, Menu } from '@mantine/core';
import { IconCopy, IconDots, IconDownload, IconEraser, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { remove } from '@/api/client';
import type { Collection } from '@/api/types';
import { useAction } from '@/components/actions';
import { saveJson } from '@/components/download';
import { TypedConfirm } from '@/components/TypedConfirm';

/** What can be done with a whole collection. */
export function CollectionMenu({
  collection,
  subtle = false,
}: {
  collection: Collection;
  /** At the end of a row rather than beside a title. */
  subtle?: boolean;
}) {
  const { id, name, type, system } = collection;
  const [, navigate] = useLocation();
  const [asked, setAsked] = useState<'truncate' | 'delete' | null>(null);
  const path = `/collections/${encodeURIComponent(id)}`;
  const truncation = useAction<void>({
    run: () => remove(`${path}/truncate`),
    done: () => `All records of ${name} are deleted.`,
    refresh: [['records']],
  });
  const deletion = useAction<void>({
    run: async () => {
      await remove(path);
      navigate('/records');
    },
    done: () => `The collection ${name} is deleted.`,
    refresh: [['records']],
  });
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <ActionIcon
            variant={subtle ? 'subtle' : 'default'}
            color="gray"
            size={subtle ? 28 : 36}
            aria-label={`Actions for ${name}`}
          >
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconCopy size={16} />}
            onClick={() => navigate(`/schema?copy=${encodeURIComponent(name)}`)}
          >
            Duplicate the structure
          </Menu.Item>
          <Menu.Item
            leftSection={<IconDownload size={16} />}
            onClick={() => saveJson(`${name}.schema.json`, [collection])}
          >
            Export the structure
          </Menu.Item>
          <Menu.Divider />
          {type !== 'view' && (
            <Menu.Item
              color="red"
              leftSection={<IconEraser size={16} />}
              onClick={() => setAsked('truncate')}
            >
              Delete all records
            </Menu.Item>
          )}
          <Menu.Item
            color="red"
            disabled={system ?? false}
            leftSection={<IconTrash size={16} />}
            onClick={() => setAsked('delete')}
          >
            Delete the collection
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <TypedConfirm
        opened={asked !== null}
        onClose={() => setAsked(null)}
        title={asked === 'delete' ? `Delete ${name}?` : `Delete all records of ${name}?`}
        text={
          asked === 'delete'
            ? 'The collection, its records and their files are removed for good.'
            : 'The records and their files are removed for good; records that must not lose their relation go as well.'
        }
        word={name}
        verb="Delete"
        onConfirm={() => (asked === 'delete' ? deletion : truncation).mutate()}
      />
    </>
  );
}
