import { ActionIcon, Group, Menu, Text } from '@mantine/core';
import { IconDots, IconDownload, IconFile, IconFolder, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useParams, useSearchParams } from 'wouter';
import { get, remove } from '@/api/client';
import type { ObjectPage, ObjectSummary } from '@/api/types';
import { confirm, useAction } from '@/components/actions';
import { type Column, DataTable } from '@/components/DataTable';
import { useList } from '@/components/list';
import { Page } from '@/components/Page';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';
import { formatBytes } from '@/format';
import { ObjectDrawer } from './ObjectDrawer';
import { browserHref, objectPath, objectUrl, prefixSteps } from './paths';
import { DropArea, UploadButton, UploadList, useUploads } from './uploads';

const POLL_MS = 5000;

/** A line of the listing: a group of keys or one object. */
type Entry = { prefix: string } | { object: ObjectSummary };

/** The objects of a bucket by prefix, with upload, preview and deletion. */
export default function Browser() {
  const { bucket = '' } = useParams<{ bucket: string }>();
  const [search] = useSearchParams();
  const prefix = search.get('prefix') ?? '';
  const [opened, setOpened] = useState<ObjectSummary | null>(null);
  const uploads = useUploads(bucket, prefix);
  const listing = useList<Entry>(
    ['objects', 'listing', bucket, prefix],
    async (after) => {
      const page = await get<ObjectPage>(`/objects/buckets/${encodeURIComponent(bucket)}/objects`, {
        prefix,
        delimiter: '/',
        after,
        limit: 100,
      });
      return {
        items: [
          ...page.prefixes.map((group) => ({ prefix: group })),
          ...page.items.map((object) => ({ object })),
        ],
        next: page.next,
      };
    },
    { pollMs: POLL_MS },
  );
  const deletion = useAction<string>({
    run: (key) => remove(objectPath(bucket, key)),
    done: (key) => `${key} is deleted.`,
    refresh: [['objects']],
  });
  const askDelete = (key: string) =>
    confirm({
      title: 'Delete this object?',
      text: `${key} in ${bucket} is removed for good.`,
      verb: 'Delete',
      onConfirm: () => {
        setOpened(null);
        deletion.mutate(key);
      },
    });

  const steps = prefixSteps(prefix);
  const crumbs = [
    { label: 'Buckets', href: '/objects' },
    ...(prefix ? [{ label: bucket, href: browserHref(bucket) }] : []),
    ...steps.slice(0, -1).map((step) => ({
      label: step.name,
      href: browserHref(bucket, step.prefix),
    })),
  ];

  const columns: Column<Entry>[] = [
    {
      header: 'Name',
      cell: (entry) => (
        <Group gap={8} wrap="nowrap" component="span">
          {'prefix' in entry ? (
            <IconFolder size={18} style={{ flex: 'none' }} />
          ) : (
            <IconFile size={18} opacity={0.6} style={{ flex: 'none' }} />
          )}
          <span>{('prefix' in entry ? entry.prefix : entry.object.key).slice(prefix.length)}</span>
        </Group>
      ),
    },
    {
      header: 'Size',
      align: 'right',
      width: '7rem',
      cell: (entry) => ('object' in entry ? formatBytes(entry.object.size) : null),
    },
    {
      header: 'Type',
      width: '13rem',
      cell: (entry) =>
        'object' in entry ? (
          <Text span size="sm" c="dimmed">
            {entry.object.content_type ?? '–'}
          </Text>
        ) : null,
    },
    {
      header: 'Changed',
      width: '9rem',
      cell: (entry) => ('object' in entry ? <Time ms={entry.object.modified_ms} /> : null),
    },
  ];

  return (
    <Page
      title={steps.at(-1)?.name ?? bucket}
      crumbs={crumbs}
      actions={<UploadButton uploads={uploads} />}
    >
      <UploadList uploads={uploads} />
      <DropArea uploads={uploads}>
        <DataTable
          label={`Objects in ${bucket}`}
          list={listing}
          columns={columns}
          rowKey={(entry) => ('prefix' in entry ? entry.prefix : `/${entry.object.key}`)}
          rowHref={(entry) => ('prefix' in entry ? browserHref(bucket, entry.prefix) : undefined)}
          onOpen={(entry) => 'object' in entry && setOpened(entry.object)}
          rowActions={(entry) =>
            'object' in entry && (
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={`Actions for ${entry.object.key}`}
                  >
                    <IconDots size={18} />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item
                    component="a"
                    href={objectUrl(bucket, entry.object.key)}
                    download={fileName(entry.object.key)}
                    leftSection={<IconDownload size={16} />}
                  >
                    Download
                  </Menu.Item>
                  <Menu.Item
                    color="red"
                    leftSection={<IconTrash size={16} />}
                    onClick={() => askDelete(entry.object.key)}
                  >
                    Delete
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            )
          }
          empty={
            <EmptyState icon={IconFolder} title={prefix ? 'Nothing below here' : 'No objects yet'}>
              Drop files here, or upload them with the button above.
            </EmptyState>
          }
        />
      </DropArea>
      <ObjectDrawer
        bucket={bucket}
        object={opened}
        onClose={() => setOpened(null)}
        onDelete={askDelete}
      />
    </Page>
  );
}

function fileName(key: string): string {
  return key.split('/').at(-1) || key;
}
