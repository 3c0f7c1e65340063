import { Button, Group, Switch, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconArticle, IconPackageImport, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { ApiError } from '@/api/client';
import { CODE_INPUT } from '@/components/code-input';
import { type Column, DataTable } from '@/components/DataTable';
import { Page } from '@/components/Page';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';
import { parseTime } from '@/format';
import { useImportStarter } from '@/pages/network/starter';
import { CONTENTS, type ContentRecord, languageName } from './article';
import { searchFilter } from './filter';
import { useRecords } from './queries';

const POLL_MS = 3000;
const DEBOUNCE_MS = 250;

const COLUMNS: Column<ContentRecord>[] = [
  {
    header: 'Content',
    width: '55%',
    cell: ({ title, summary }) => (
      <span>
        <Text component="span" size="sm" fw={600} display="block">
          {title || '(no title)'}
        </Text>
        <Text component="span" size="xs" c="dimmed" fw={400} lineClamp={2}>
          {summary}
        </Text>
      </span>
    ),
  },
  {
    header: 'Language',
    nowrap: true,
    cell: ({ language }) => languageName(language),
  },
  {
    header: 'Source',
    cell: ({ source_bucket, source_key }) => (
      <Text span size="sm" c="dimmed">
        {source_key ? `${source_bucket}/${source_key}` : '–'}
      </Text>
    ),
  },
  { header: 'Created', cell: ({ created }) => <Time ms={parseTime(created)} />, width: '9rem' },
];

/** The articles that the pipeline has made, with search. */
export default function Contents() {
  const [text, setText] = useState('');
  const [expert, setExpert] = useState(false);
  const [search] = useDebouncedValue(text, DEBOUNCE_MS);
  const filter = expert
    ? search.trim()
    : searchFilter(search, ['title', 'summary', 'body', 'key_phrases']);
  const contents = useRecords<ContentRecord>(CONTENTS, {
    filter,
    sort: '-created',
    pollMs: POLL_MS,
  });
  const missing =
    contents.error instanceof ApiError && contents.error.status === 404 && !contents.rows;
  return (
    <Page title="Contents" lead="Articles with the summary and key phrases that the pipeline found">
      {missing ? (
        <NoCollection />
      ) : (
        <>
          <Group gap="md" align="center">
            <TextInput
              aria-label={expert ? 'Filter' : 'Search'}
              placeholder={expert ? "language = 'en' && title ~ 'whale'" : 'Search the contents'}
              leftSection={<IconSearch size={16} />}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              flex={1}
              miw={200}
              {...(expert ? CODE_INPUT : {})}
            />
            <Switch
              label="Filter language"
              checked={expert}
              onChange={(event) => setExpert(event.currentTarget.checked)}
            />
          </Group>
          <DataTable
            label="Contents"
            list={contents}
            columns={COLUMNS}
            rowKey={({ id }) => id}
            rowHref={({ id }) => `/records/contents/${encodeURIComponent(id)}`}
            empty={
              <EmptyState icon={IconArticle} title={filter ? 'Nothing matches' : 'No contents yet'}>
                {filter
                  ? 'Try other words.'
                  : 'Upload an HTML article to the bucket inbox, and it appears here.'}
              </EmptyState>
            }
          />
        </>
      )}
    </Page>
  );
}

function NoCollection() {
  const importStarter = useImportStarter();
  return (
    <EmptyState
      icon={IconArticle}
      title="There is no collection called contents"
      action={
        <Button
          mt="sm"
          leftSection={<IconPackageImport size={16} />}
          loading={importStarter.isPending}
          onClick={() => importStarter.mutate()}
        >
          Import the content starter
        </Button>
      }
    >
      The content starter creates it, with the bucket, the pipeline and a few public-domain texts.
    </EmptyState>
  );
}
