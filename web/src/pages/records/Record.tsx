import { Button, Paper, Skeleton } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useLocation, useParams } from 'wouter';
import { remove } from '@/api/client';
import type { RecordRow } from '@/api/types';
import { confirm, useAction } from '@/components/actions';
import { Details } from '@/components/Details';
import { Page } from '@/components/Page';
import { ErrorState } from '@/components/states';
import { FieldValue } from './fields';
import { recordsPath, useCollection, useRecord } from './queries';

/** One record with all its fields. */
export default function RecordPage() {
  const { collection: name = '', id = '' } = useParams<{ collection: string; id: string }>();
  const [, navigate] = useLocation();
  const home = `/records/${encodeURIComponent(name)}`;
  const { collection, error } = useCollection(name);
  const query = useRecord<RecordRow>(name, id);
  const deletion = useAction<void>({
    run: async () => {
      await remove(recordsPath(name, id));
      navigate(home);
    },
    done: () => `The record ${id} is deleted.`,
    refresh: [['records', name, 'list']],
  });
  const record = query.data;
  const problem = query.error ?? error;
  return (
    <Page
      title={id}
      crumbs={[
        { label: 'Collections', href: '/records' },
        { label: name, href: home },
      ]}
      actions={
        record && (
          <Button
            variant="default"
            leftSection={<IconTrash size={16} />}
            loading={deletion.isPending}
            onClick={() =>
              confirm({
                title: 'Delete this record?',
                text: `${id} in ${name} is removed for good.`,
                verb: 'Delete',
                onConfirm: () => deletion.mutate(),
              })
            }
          >
            Delete
          </Button>
        )
      }
    >
      {problem && !record && <ErrorState error={problem} retry={() => void query.refetch()} />}
      {!record && !problem && <Skeleton height={240} />}
      {record && collection && (
        <Paper withBorder px="md" py="xs">
          <Details
            items={collection.fields
              .filter(({ hidden }) => !hidden)
              .map((field) => [
                field.name,
                <FieldValue key={field.name} field={field} record={record} />,
              ])}
          />
        </Paper>
      )}
    </Page>
  );
}
