import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { IconBucket, IconPlus } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useLocation, useSearchParams } from 'wouter';
import { get, post } from '@/api/client';
import type { BucketSummary, Page as ListPage } from '@/api/types';
import { toastDone } from '@/components/actions';
import { type Column, DataTable } from '@/components/DataTable';
import { useList } from '@/components/list';
import { Page } from '@/components/Page';
import { FormError, useServerForm } from '@/components/ServerForm';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';

const COLUMNS: Column<BucketSummary>[] = [
  { header: 'Bucket', cell: ({ name }) => name },
  { header: 'Created', cell: ({ created_ms }) => <Time ms={created_ms} />, width: '12rem' },
];

/** The buckets; the address `?create=1` opens the form for a new one. */
export default function Buckets() {
  const [search, setSearch] = useSearchParams();
  const buckets = useList<BucketSummary>(['objects', 'buckets'], (after) =>
    get<ListPage<BucketSummary>>('/objects/buckets', { after }),
  );
  const open = () => setSearch({ create: '1' });
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={open}>
      Create a bucket
    </Button>
  );
  return (
    <Page title="Buckets" lead="Files, reachable with any S3 client" actions={create}>
      <DataTable
        label="Buckets"
        list={buckets}
        columns={COLUMNS}
        rowKey={({ name }) => name}
        rowHref={({ name }) => `/objects/${encodeURIComponent(name)}`}
        empty={
          <EmptyState icon={IconBucket} title="No buckets yet">
            Create one here or with any S3 client.
          </EmptyState>
        }
      />
      <Modal
        opened={search.has('create')}
        onClose={() => setSearch({})}
        title="Create a bucket"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <CreateBucket onCancel={() => setSearch({})} />
      </Modal>
    </Page>
  );
}

function CreateBucket({ onCancel }: { onCancel: () => void }) {
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const form = useServerForm({
    initialValues: { name: '' },
    validate: {
      name: (value) =>
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value)
          ? null
          : '3 to 63 of a–z, 0–9, “.” and “-”, beginning and ending with a letter or digit.',
    },
    submit: async ({ name }) => {
      await post('/objects/buckets', { name });
      await client.invalidateQueries({ queryKey: ['objects', 'buckets'] });
      toastDone(`The bucket ${name} is ready.`);
      navigate(`/objects/${encodeURIComponent(name)}`);
    },
  });
  return (
    <form onSubmit={form.onSubmit} noValidate>
      <Stack>
        <FormError form={form} />
        <TextInput
          label="Name"
          name="name"
          data-autofocus
          autoComplete="off"
          spellCheck={false}
          {...form.getInputProps('name')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={form.busy}>
            Create
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
