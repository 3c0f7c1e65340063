import { Paper, Skeleton } from '@mantine/core';
import { useParams } from 'wouter';
import type { RecordRow } from '@/api/types';
import { Details } from '@/components/Details';
import { Page } from '@/components/Page';
import { ErrorState } from '@/components/states';
import { FieldValue } from './fields';
import { useCollection, useRecord } from './queries';
import { RecordActions } from './RecordActions';

/** One record with all its fields. */
export default function RecordPage() {
  const { collection: name = '', id = '' } = useParams<{ collection: string; id: string }>();
  const home = `/records/${encodeURIComponent(name)}`;
  const { collection, error } = useCollection(name);
  const query = useRecord<RecordRow>(name, id);
  const record = query.data;
  const problem = query.error ?? error;
  return (
    <Page
      title={id}
      crumbs={[
        { label: 'Collections', href: '/records' },
        { label: name, href: home },
      ]}
      actions={record && collection && <RecordActions collection={collection} record={record} />}
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
