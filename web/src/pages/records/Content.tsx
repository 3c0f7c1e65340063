import {
  Anchor,
  Badge,
  Code,
  Group,
  Paper,
  SimpleGrid,
  Skeleton,
  Text,
  Title,
} from '@mantine/core';
import { Link, useParams } from 'wouter';
import { Details } from '@/components/Details';
import { Page } from '@/components/Page';
import { ErrorState } from '@/components/states';
import { Time } from '@/components/Time';
import { parseTime } from '@/format';
import { browserHref } from '@/pages/objects/paths';
import { CONTENTS, type ContentRecord, keyPhrases, languageName, plainText } from './article';
import { useCollection, useRecord } from './queries';
import { RecordActions } from './Record';

/** One article: what the pipeline found in it, and its cleaned text. */
export default function Content() {
  const { id = '' } = useParams<{ id: string }>();
  const query = useRecord<ContentRecord>(CONTENTS, id);
  const { collection } = useCollection(CONTENTS);
  const content = query.data;
  return (
    <Page
      title={content ? content.title || '(no title)' : 'Content'}
      crumbs={[{ label: 'Contents', href: '/records/contents' }]}
      actions={content && collection && <RecordActions collection={collection} record={content} />}
    >
      {query.error && !content && (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      )}
      {!content && !query.error && <Skeleton height={320} />}
      {content && <Article content={content} />}
    </Page>
  );
}

function Article({ content }: { content: ContentRecord }) {
  const phrases = keyPhrases(content.key_phrases);
  const source = content.source_key ?? '';
  const folder = source.slice(0, source.lastIndexOf('/') + 1);
  return (
    <>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Paper withBorder p="md">
          <Title order={2} mb="xs">
            Summary
          </Title>
          <Text size="sm" mb="md" style={{ whiteSpace: 'pre-line' }}>
            {content.summary || 'No summary.'}
          </Text>
          <Title order={3} mb="xs">
            Key phrases
          </Title>
          <Group gap={6}>
            {phrases.map((phrase) => (
              <Badge key={phrase} variant="light" tt="none" radius="sm">
                {phrase}
              </Badge>
            ))}
            {phrases.length === 0 && (
              <Text size="sm" c="dimmed">
                None found.
              </Text>
            )}
          </Group>
        </Paper>
        <Paper withBorder px="md" py="xs">
          <Details
            items={[
              ['Language', languageName(content.language)],
              ['Status', content.status || '–'],
              ['Slug', content.slug || '–'],
              [
                'Source',
                source && content.source_bucket ? (
                  <Anchor
                    key="source"
                    component={Link}
                    href={browserHref(content.source_bucket, folder)}
                    size="sm"
                  >
                    {content.source_bucket}/{source}
                  </Anchor>
                ) : (
                  '–'
                ),
              ],
              ['Created', <Time key="created" ms={parseTime(content.created)} />],
              ['Changed', <Time key="updated" ms={parseTime(content.updated)} />],
              ['Record', <Code key="record">{content.id}</Code>],
            ]}
          />
        </Paper>
      </SimpleGrid>
      <Paper withBorder p={{ base: 'md', sm: 'lg' }}>
        <Title order={2} mb="sm">
          Text
        </Title>
        <Text maw="70ch" lh={1.65} style={{ whiteSpace: 'pre-wrap' }}>
          {plainText(content.body ?? '') || 'No text.'}
        </Text>
      </Paper>
    </>
  );
}
