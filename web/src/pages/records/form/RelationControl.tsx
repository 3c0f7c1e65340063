import { ActionIcon, Anchor, Button, Group, Input, Paper, Text } from '@mantine/core';
import { IconSitemap, IconX } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { apiUrl, request } from '@/api/client';
import type { Collection, CollectionField, RecordPage, RecordRow } from '@/api/types';
import { quote } from '../filter';
import { recordsPath, recordTitle, useCollections } from '../queries';
import { RelationPicker } from './RelationPicker';
import { isMultiple } from './values';

/** As many ids as fit into a filter. */
const SHOWN = 40;

interface RelationControlProps {
  field: CollectionField;
  value: string | string[];
  onChange: (value: string | string[]) => void;
  error?: string | undefined;
}

/** The records that a record refers to. */
export function RelationControl({ field, value, onChange, error }: RelationControlProps) {
  const { data: collections } = useCollections();
  const collection = collections?.find(({ id }) => id === field.collectionId);
  const [picking, setPicking] = useState(false);
  const many = isMultiple(field);
  const ids = Array.isArray(value) ? value : value ? [value] : [];
  const set = (next: string[]) => onChange(many ? next : (next[0] ?? ''));
  const { data: records } = useRecordsById(collection, ids);
  return (
    <Input.Wrapper
      label={field.name}
      description={field.help}
      error={error}
      withAsterisk={field.required ?? false}
    >
      <Paper withBorder p={6} my={4}>
        {ids.slice(0, SHOWN).map((id) => (
          <Chosen
            key={id}
            id={id}
            collection={collection}
            record={records?.find((record) => record.id === id)}
            onRemove={() => set(ids.filter((one) => one !== id))}
          />
        ))}
        {ids.length > SHOWN && (
          <Text size="xs" c="dimmed" px={6}>
            and {ids.length - SHOWN} more
          </Text>
        )}
        <Button
          size="xs"
          variant={ids.length === 0 ? 'default' : 'subtle'}
          leftSection={<IconSitemap size={14} />}
          disabled={!collection}
          onClick={() => setPicking(true)}
        >
          {ids.length === 0 ? `Choose from ${collection?.name ?? '…'}` : 'Choose others'}
        </Button>
      </Paper>
      {collection && (
        <RelationPicker
          opened={picking}
          onClose={() => setPicking(false)}
          collection={collection}
          maxSelect={many ? (field.maxSelect ?? 1) : 1}
          chosen={ids}
          onDone={set}
        />
      )}
    </Input.Wrapper>
  );
}

function useRecordsById(collection: Collection | undefined, ids: string[]) {
  const shown = ids.slice(0, SHOWN);
  return useQuery({
    queryKey: ['records', collection?.name, 'by-id', shown],
    queryFn: async () => {
      const filter = shown.map((id) => `id = ${quote(id)}`).join(' || ');
      const url = apiUrl(recordsPath(collection?.name ?? ''), {
        filter,
        perPage: SHOWN,
        skipTotal: 1,
      });
      return (await request<RecordPage<RecordRow>>('GET', url)).items;
    },
    enabled: collection !== undefined && shown.length > 0,
    placeholderData: keepPreviousData,
  });
}

interface ChosenProps {
  id: string;
  collection: Collection | undefined;
  record: RecordRow | undefined;
  onRemove: () => void;
}

function Chosen({ id, collection, record, onRemove }: ChosenProps) {
  return (
    <Group gap="xs" wrap="nowrap" px={6} py={2}>
      <Anchor
        component={Link}
        href={`/records/${encodeURIComponent(collection?.name ?? '')}/${encodeURIComponent(id)}`}
        size="sm"
        flex={1}
        truncate
      >
        {record ? recordTitle(collection, record) : id}
      </Anchor>
      <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${id}`} onClick={onRemove}>
        <IconX size={16} />
      </ActionIcon>
    </Group>
  );
}
