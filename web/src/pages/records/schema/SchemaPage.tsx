import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams, useSearchParams } from 'wouter';
import { get } from '@/api/client';
import type { Collection } from '@/api/types';
import { Page } from '@/components/Page';
import { ErrorState } from '@/components/states';
import { MissingCollection } from '../MissingCollection';
import { useCollections } from '../queries';
import { copyOf, type Draft, draftOf } from './draft';
import { SchemaEditor } from './SchemaEditor';

type Scaffolds = Record<Collection['type'], Collection>;

const CRUMBS = [{ label: 'Collections', href: '/records' }];

/** The editor of a collection, or of a new one: `?type=auth`, or `?copy=` with what to start from. */
export default function SchemaPage() {
  const { collection: name } = useParams<{ collection?: string }>();
  const [search] = useSearchParams();
  const collections = useCollections();
  const scaffolds = useQuery({
    queryKey: ['records', 'scaffolds'],
    queryFn: () => get<Scaffolds>('/collections/meta/scaffolds'),
    enabled: name === undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const error = collections.error ?? scaffolds.error;
  const stored = collections.data?.find((one) => one.name === name);
  if (name !== undefined && collections.data) {
    return stored ? (
      <SchemaEditor key={stored.id} initial={draftOf(stored)} stored={stored} />
    ) : (
      <Page title={name} crumbs={CRUMBS}>
        <MissingCollection name={name} />
      </Page>
    );
  }
  if (name === undefined && collections.data && scaffolds.data) {
    const initial = start(search, collections.data, scaffolds.data);
    const from = ['type', 'name', 'copy'].map((name) => search.get(name)).join(' ');
    return <SchemaEditor key={from} initial={initial} stored={undefined} />;
  }
  return (
    <Page title={name ?? 'New collection'} crumbs={CRUMBS}>
      {error ? (
        <ErrorState error={error} retry={() => void collections.refetch()} />
      ) : (
        <Skeleton h={240} />
      )}
    </Page>
  );
}

function start(search: URLSearchParams, collections: Collection[], scaffolds: Scaffolds): Draft {
  const source = collections.find(({ name }) => name === search.get('copy'));
  if (source) {
    return copyOf(source, `${source.name}_copy`);
  }
  const type = search.get('type');
  const scaffold = {
    ...scaffolds[type === 'auth' || type === 'view' ? type : 'base'],
    name: search.get('name') ?? '',
  };
  return draftOf(scaffold.type === 'base' ? withDates(scaffold) : scaffold);
}

/** Nearly every collection wants to know when its records were made and changed. */
function withDates(scaffold: Collection): Collection {
  const date = {
    id: '',
    type: 'autodate' as const,
    hidden: false,
    presentable: false,
    system: false,
  };
  return {
    ...scaffold,
    fields: [
      ...scaffold.fields,
      { ...date, name: 'created', onCreate: true, onUpdate: false },
      { ...date, name: 'updated', onCreate: true, onUpdate: true },
    ],
  };
}
