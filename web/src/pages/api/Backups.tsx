import { ActionIcon, Button, FileButton, Group, Menu, Text } from '@mantine/core';
import {
  IconArchive,
  IconCalendarTime,
  IconDots,
  IconDownload,
  IconHistory,
  IconPlus,
  IconTrash,
  IconUpload,
} from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { apiUrl, get, post, remove, request } from '@/api/client';
import { confirm, toastError, useAction } from '@/components/actions';
import { type Column, DataTable } from '@/components/DataTable';
import { wholeList } from '@/components/list';
import { Page } from '@/components/Page';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';
import { TypedConfirm } from '@/components/TypedConfirm';
import { formatBytes, parseTime } from '@/format';
import { Restoring } from './Restoring';

interface Backup {
  key: string;
  size: number;
  modified: string;
}

const POLL_MS = 5000;

const COLUMNS: Column<Backup>[] = [
  { header: 'Backup', cell: ({ key }) => key },
  { header: 'Size', align: 'right', width: '7rem', cell: ({ size }) => formatBytes(size) },
  { header: 'Made', width: '10rem', cell: ({ modified }) => <Time ms={parseTime(modified)} /> },
];

function path(key: string): string {
  return `/backups/${encodeURIComponent(key)}`;
}

/** Whole states of the data, to keep elsewhere and to go back to. */
export default function Backups() {
  const [restoring, setRestoring] = useState<string | null>(null);
  const backups = useQuery({
    queryKey: ['backups'],
    queryFn: () => get<Backup[]>('/backups'),
    refetchInterval: POLL_MS,
    select: (list) => list.toSorted((a, b) => b.modified.localeCompare(a.modified)),
  });
  const refresh = [['backups']];
  const creation = useAction<void>({
    run: () => post('/backups', {}),
    done: () => 'The backup is made.',
    refresh,
  });
  const upload = useAction<File>({
    run: (file) => {
      const form = new FormData();
      form.set('file', file, file.name);
      return request('POST', apiUrl('/backups/upload'), form);
    },
    done: (file) => `${file.name} is uploaded.`,
    refresh,
  });
  const deletion = useAction<string>({
    run: (key) => remove(path(key)),
    done: (key) => `${key} is deleted.`,
    refresh,
  });
  const restoration = useMutation({
    mutationFn: (key: string) => post(`${path(key)}/restore`),
    onError: toastError,
  });
  const isRestoring = restoration.isPending || restoration.isSuccess;
  return (
    <Page
      title="Backups"
      lead="Made while everything goes on; writers do not wait"
      actions={
        <>
          <Button
            component={Link}
            href="/settings?part=backups"
            variant="default"
            leftSection={<IconCalendarTime size={16} />}
          >
            Schedule
          </Button>
          <FileButton
            accept=".zip,application/zip"
            onChange={(file) => file && upload.mutate(file)}
            inputProps={{ 'aria-label': 'Backup to upload' }}
          >
            {(props) => (
              <Button
                {...props}
                variant="default"
                loading={upload.isPending}
                leftSection={<IconUpload size={16} />}
              >
                Upload
              </Button>
            )}
          </FileButton>
          <Button
            leftSection={<IconPlus size={16} />}
            loading={creation.isPending}
            onClick={() => creation.mutate()}
          >
            Back up now
          </Button>
        </>
      }
    >
      <DataTable
        label="Backups"
        list={wholeList(backups)}
        columns={COLUMNS}
        rowKey={({ key }) => key}
        rowActions={({ key }) => (
          <Actions
            name={key}
            onRestore={() => setRestoring(key)}
            onDelete={() => deletion.mutate(key)}
          />
        )}
        empty={
          <EmptyState icon={IconArchive} title="No backups yet">
            Make one now, or set a schedule.
          </EmptyState>
        }
      />
      <TypedConfirm
        opened={restoring !== null}
        onClose={() => setRestoring(null)}
        title="Go back to this backup?"
        text="All data becomes what it was in the backup; what came after it is lost. mito starts anew, and everybody may have to sign in again."
        word={restoring ?? ''}
        verb="Restore"
        onConfirm={() => restoring && restoration.mutate(restoring)}
      />
      {isRestoring && <Restoring name={restoration.variables} onDone={restoration.reset} />}
    </Page>
  );
}

interface ActionsProps {
  name: string;
  onRestore: () => void;
  onDelete: () => void;
}

function Actions({ name, onRestore, onDelete }: ActionsProps) {
  const download = async () => {
    try {
      const { token } = await post<{ token: string }>('/files/token');
      window.location.assign(apiUrl(path(name), { token }));
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <Group gap={4} wrap="nowrap" justify="flex-end">
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${name}`}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconDownload size={16} />} onClick={() => void download()}>
            Download
          </Menu.Item>
          <Menu.Item leftSection={<IconHistory size={16} />} onClick={onRestore}>
            Restore
          </Menu.Item>
          <Menu.Item
            color="red"
            leftSection={<IconTrash size={16} />}
            onClick={() =>
              confirm({
                title: 'Delete this backup?',
                text: `${name} is removed for good.`,
                verb: 'Delete',
                onConfirm: onDelete,
              })
            }
          >
            <Text size="sm">Delete</Text>
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}
