import { Button, Drawer, Paper, Skeleton } from '@mantine/core';
import { IconPencil, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { ApiError, apiUrl, request } from '@/api/client';
import type { Collection, RecordRow } from '@/api/types';
import { Page } from '@/components/Page';
import { EmptyState, ErrorState } from '@/components/states';
import { mayLeave } from '@/components/unsaved';
import { AccountTools } from './account/AccountTools';
import { RecordForm } from './form/RecordForm';
import { MissingCollection } from './MissingCollection';
import { recordsPath, recordTitle, useCollection } from './queries';
import { RecordMenu } from './RecordMenu';
import { RecordValues } from './RecordValues';

/** One record with all its fields; an account with its sessions as well. */
export default function RecordPage() {
  const { collection: name = '', id = '' } = useParams<{ collection: string; id: string }>();
  const { collection, data: collections, error } = useCollection(name);
  const query = useExpandedRecord(collection, id);
  const record = query.data;
  const problem = query.error ?? error;
  const hasNoCollection = collections !== undefined && collection === undefined;
  const isMissing = query.error instanceof ApiError && query.error.status === 404;
  return (
    <Page
      title={record ? recordTitle(collection, record) : id}
      lead={record && collection && recordTitle(collection, record) !== id ? id : undefined}
      crumbs={[
        { label: 'Collections', href: '/records' },
        { label: name, href: `/records/${encodeURIComponent(name)}` },
      ]}
      actions={record && collection && <RecordActions collection={collection} record={record} />}
    >
      {hasNoCollection && <MissingCollection name={name} />}
      {isMissing && <MissingRecord collection={name} id={id} />}
      {problem && !record && !isMissing && (
        <ErrorState error={problem} retry={() => void query.refetch()} />
      )}
      {!record && !problem && !hasNoCollection && <Skeleton height={240} />}
      {record && collection && (
        <>
          {collection.type === 'auth' && <AccountTools collection={collection} record={record} />}
          <Paper withBorder px="md" py="xs">
            <RecordValues collection={collection} record={record} />
          </Paper>
        </>
      )}
    </Page>
  );
}

/** Records are deleted while links to them stay. */
function MissingRecord({ collection, id }: { collection: string; id: string }) {
  return (
    <EmptyState
      icon={IconTable}
      title={`${collection} has no record ${id}`}
      action={
        <Button
          component={Link}
          href={`/records/${encodeURIComponent(collection)}`}
          variant="default"
        >
          All records of {collection}
        </Button>
      }
    >
      It may have been deleted.
    </EmptyState>
  );
}

function useExpandedRecord(collection: Collection | undefined, id: string) {
  const expand = (collection?.fields ?? [])
    .filter(({ type }) => type === 'relation')
    .map(({ name }) => name)
    .join(',');
  return useQuery({
    queryKey: ['records', collection?.name, 'expanded', id, expand],
    queryFn: () =>
      request<RecordRow>('GET', apiUrl(recordsPath(collection?.name ?? '', id), { expand })),
    enabled: collection !== undefined,
  });
}

/** What can be done with one record; after its deletion the page of its collection opens. */
export function RecordActions({
  collection,
  record,
}: {
  collection: Collection;
  record: RecordRow;
}) {
  const [, navigate] = useLocation();
  const [editing, setEditing] = useState(false);
  const close = () => setEditing(false);
  return (
    <>
      {collection.type !== 'view' && (
        <Button
          variant="default"
          leftSection={<IconPencil size={16} />}
          onClick={() => setEditing(true)}
        >
          Edit
        </Button>
      )}
      <RecordMenu
        collection={collection}
        record={record}
        onDeleted={() => navigate(`/records/${encodeURIComponent(collection.name)}`)}
      />
      <Drawer
        opened={editing}
        onClose={() => mayLeave() && close()}
        size="xl"
        title={`Edit ${record.id}`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {editing && (
          <RecordForm
            collection={collection}
            record={record}
            onDone={close}
            onCancel={() => mayLeave() && close()}
          />
        )}
      </Drawer>
    </>
  );
}
