import { Button, Text } from '@mantine/core';
import { IconFileCode, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { type Column, DataTable } from '@/components/DataTable';
import { wholeList } from '@/components/list';
import { Page } from '@/components/Page';
import { StatusBadge } from '@/components/StatusBadge';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';
import { formatBytes } from '@/format';
import { moment } from '../certificates/expiry';
import { segment } from '../names';
import { NewFile } from './NewFile';
import { type FileEntry, useFiles } from './queries';
import { useTroubles } from './troubles';

const COLUMNS: Column<FileEntry & { troubles: number }>[] = [
  { header: 'File', nowrap: true, cell: ({ name }) => name },
  { header: 'State', width: '50%', cell: (file) => <State {...file} /> },
  { header: 'Format', cell: ({ format }) => format.toUpperCase() },
  { header: 'Size', align: 'right', cell: ({ sizeBytes }) => formatBytes(sizeBytes) },
  { header: 'Changed', cell: ({ modified }) => <Time ms={moment(modified)} /> },
];

function State({ error, troubles }: Pick<FileEntry, 'error'> & { troubles: number }) {
  if (!error) {
    return (
      <div>
        <StatusBadge state={troubles > 0 ? 'warning' : 'active'} />
        {troubles > 0 && (
          <Text size="xs" c="dimmed" mt={2}>
            {troubles === 1 ? 'A part of it does not work' : `${troubles} parts do not work`}
          </Text>
        )}
      </div>
    );
  }
  return (
    <div>
      <StatusBadge state="failed" />
      <Text size="xs" c="red" mt={2}>
        {error.line ? `Line ${error.line}: ` : ''}
        {error.message}
      </Text>
    </div>
  );
}

/** The files that routes beside those of the platform come from. */
export default function Files() {
  const query = useFiles();
  const [creating, setCreating] = useState(false);
  const troubles = useTroubles();
  const files = query.data?.map((file) => ({
    ...file,
    troubles: troubles.filter((one) => one.file === file.name).length,
  }));
  return (
    <Page
      title="Configuration"
      lead="Files with routers, services and middlewares of your own, in Traefik's format"
      actions={
        files && (
          <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
            New file
          </Button>
        )
      }
    >
      {query.data === null ? (
        <EmptyState icon={IconFileCode} title="Not available here">
          This mito has no files to edit; its routes come from mito.toml.
        </EmptyState>
      ) : (
        <DataTable
          label="Configuration files"
          list={wholeList({ ...query, data: files })}
          columns={COLUMNS}
          rowKey={({ name }) => name}
          rowHref={({ name }) => `/gateway/files/${segment(name)}`}
          empty={
            <EmptyState
              icon={IconFileCode}
              title="No files yet"
              action={
                <Button
                  variant="default"
                  leftSection={<IconPlus size={16} />}
                  onClick={() => setCreating(true)}
                >
                  Create the first one
                </Button>
              }
            >
              A file routes hosts to servers beside mito. What it says is in use at once.
            </EmptyState>
          }
        />
      )}
      <NewFile
        opened={creating}
        onClose={() => setCreating(false)}
        taken={files?.map(({ name }) => name) ?? []}
      />
    </Page>
  );
}
