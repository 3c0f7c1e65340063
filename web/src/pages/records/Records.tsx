import { Button, Code, Group, Skeleton } from '@mantine/core';
import { IconDownload, IconPencil, IconPlus, IconTable } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useParams } from 'wouter';
import { ApiError } from '@/api/client';
import type { Collection } from '@/api/types';
import { Page } from '@/components/Page';
import { StateDot } from '@/components/StatusBadge';
import { EmptyState, ErrorState } from '@/components/states';
import { BulkBar } from './grid/BulkBar';
import { useColumns } from './grid/columns';
import { ExportRecords } from './grid/ExportRecords';
import { FilterBar } from './grid/FilterBar';
import { useLiveRecords } from './grid/live';
import { Pager } from './grid/Pager';
import { RecordTable } from './grid/RecordTable';
import { nextSort, useGridPage, useGridState } from './grid/state';
import { MissingCollection } from './MissingCollection';
import { useCollection } from './queries';
import { RecordDrawer } from './RecordDrawer';
import { CollectionMenu } from './schema/CollectionMenu';

const CRUMBS = [{ label: 'Collections', href: '/records' }];
const NOTHING: ReadonlySet<string> = new Set();

/** The records of any collection. */
export default function Records() {
  const { collection: name = '' } = useParams<{ collection: string }>();
  const { collection, data, error, refetch } = useCollection(name);
  if (collection) {
    return <Grid key={collection.id} collection={collection} />;
  }
  return (
    <Page title={name} crumbs={CRUMBS}>
      {error && <ErrorState error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton height={240} />}
      {data && <MissingCollection name={name} />}
    </Page>
  );
}

function Grid({ collection }: { collection: Collection }) {
  const { state, change } = useGridState(collection);
  const { columns, toggle, reset } = useColumns(collection);
  const [selected, setSelected] = useState(NOTHING);
  const [exporting, setExporting] = useState(false);
  const live = useLiveRecords(collection.name);
  const page = useGridPage(
    collection,
    state,
    columns.map(({ name }) => name),
  );
  const refused =
    page.error instanceof ApiError && page.error.status === 400 && state.filter !== '';
  return (
    <Page
      title={collection.name}
      crumbs={CRUMBS}
      lead={<Lead collection={collection} live={live} />}
      actions={
        <Actions
          collection={collection}
          onExport={() => setExporting(true)}
          onNew={() => change({ record: 'new' })}
        />
      }
    >
      <FilterBar
        collection={collection}
        filter={state.filter}
        onFilter={(filter) => change({ filter })}
        error={refused ? 'The server does not accept this filter.' : undefined}
        columns={columns}
        onToggleColumn={toggle}
        onResetColumns={reset}
        onRefresh={() => void page.refetch()}
        refreshing={page.isFetching}
      />
      {page.error && !refused && (
        <ErrorState error={page.error} retry={() => void page.refetch()} />
      )}
      {(page.data || !page.error) && (
        <RecordTable
          collection={collection}
          columns={columns}
          records={page.data?.items}
          sort={state.sort}
          onSort={(field) => change({ sort: nextSort(state.sort, field) })}
          selected={selected}
          onSelect={setSelected}
          onOpen={(id) => change({ record: id })}
          isStale={page.isPlaceholderData}
          empty={
            <Nothing
              collection={collection}
              isFiltered={state.filter !== ''}
              onNew={() => change({ record: 'new' })}
            />
          }
        />
      )}
      {page.data && (
        <Pager
          page={state.page}
          perPage={state.perPage}
          total={page.data.totalItems}
          onPage={(next) => change({ page: next })}
          onPerPage={(perPage) => change({ perPage })}
        />
      )}
      <BulkBar
        collection={collection}
        selected={selected}
        records={page.data?.items ?? []}
        onClear={() => setSelected(NOTHING)}
      />
      <RecordDrawer
        collection={collection}
        open={state.record}
        onOpen={(record) => change({ record })}
      />
      <ExportRecords
        opened={exporting}
        onClose={() => setExporting(false)}
        collection={collection}
        filter={state.filter}
        total={page.data?.totalItems ?? 0}
      />
    </Page>
  );
}

interface NothingProps {
  collection: Collection;
  isFiltered: boolean;
  onNew: () => void;
}

/** A grid without rows, and what to do about it. */
function Nothing({ collection: { name, type }, isFiltered, onNew }: NothingProps) {
  if (isFiltered) {
    return (
      <EmptyState icon={IconTable} title="Nothing matches">
        Try other words, or a filter such as <Code>id != ''</Code>.
      </EmptyState>
    );
  }
  if (type === 'view') {
    return (
      <EmptyState icon={IconTable} title="No records yet">
        The query of this view has no rows.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={IconTable}
      title="No records yet"
      action={
        <Button variant="default" leftSection={<IconPlus size={16} />} onClick={onNew}>
          Create the first one
        </Button>
      }
    >
      Applications create them with <Code>POST /api/collections/{name}/records</Code>.
    </EmptyState>
  );
}

const KINDS = { base: 'Records', auth: 'Accounts', view: 'A view' };

function Lead({ collection, live }: { collection: Collection; live: boolean }) {
  return (
    <Group gap={6}>
      {KINDS[collection.type]}
      {live && (
        <>
          <StateDot state="healthy" label="Changes appear as they happen" />
          live
        </>
      )}
    </Group>
  );
}

interface ActionsProps {
  collection: Collection;
  onExport: () => void;
  onNew: () => void;
}

function Actions({ collection, onExport, onNew }: ActionsProps) {
  return (
    <>
      <Button variant="default" leftSection={<IconDownload size={16} />} onClick={onExport}>
        Export
      </Button>
      <Button
        component={Link}
        href={`/schema/${encodeURIComponent(collection.name)}`}
        variant="default"
        leftSection={<IconPencil size={16} />}
      >
        Edit collection
      </Button>
      {collection.type !== 'view' && (
        <Button leftSection={<IconPlus size={16} />} onClick={onNew}>
          New record
        </Button>
      )}
      <CollectionMenu collection={collection} />
    </>
  );
}
