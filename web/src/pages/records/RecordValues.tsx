import { Anchor, Badge, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Collection, CollectionField, RecordRow } from '@/api/types';
import { Details } from '@/components/Details';
import { HtmlPreview } from '@/components/HtmlPreview';
import { Json } from '@/components/states';
import { Time } from '@/components/Time';
import { parseTime } from '@/format';
import { cellText } from './fields';
import { Thumb } from './form/FileControl';
import { fileUrl, useFileToken } from './form/files';
import { expandedOf } from './grid/Cell';
import { Place } from './place/Place';
import { type GeoPoint, isPlace, placeText } from './place/point';
import { recordTitle, useCollections } from './queries';

/** All values of a record in full. */
export function RecordValues({
  collection,
  record,
}: {
  collection: Collection;
  record: RecordRow;
}) {
  const { data: collections = [] } = useCollections();
  const token = useFileToken(collection.fields);
  const fields = collection.fields.filter(
    ({ name, type }) => type !== 'password' && name !== 'tokenKey',
  );
  return (
    <Details
      items={fields.map((field): [string, ReactNode] => [
        field.name,
        <Value key={field.name} {...{ collection, collections, field, record, token }} />,
      ])}
    />
  );
}

interface ValueProps {
  collection: Collection;
  collections: Collection[];
  field: CollectionField;
  record: RecordRow;
  token: string | undefined;
}

function Value({ collection, collections, field, record, token }: ValueProps) {
  const value = record[field.name];
  const values = [value].flat().filter((one) => one !== '' && one !== null && one !== undefined);
  if (values.length === 0) {
    return '–';
  }
  switch (field.type) {
    case 'date':
    case 'autodate':
      return <Time ms={parseTime(value)} />;
    case 'bool':
      return value ? 'yes' : 'no';
    case 'editor':
      return <HtmlPreview title={field.name} html={String(value)} />;
    case 'geoPoint':
      return <Point label={field.name} value={value as GeoPoint} />;
    case 'json':
      return <Json value={value} />;
    case 'select':
      return (
        <Group gap={4}>
          {values.map((one) => (
            <Badge key={String(one)} variant="default" radius="sm" tt="none" fw={500}>
              {String(one)}
            </Badge>
          ))}
        </Group>
      );
    case 'file':
      return (
        <Group gap="xs">
          {values.map(String).map((name) => (
            <FileLink
              key={name}
              place={{ collection: collection.id, record: record.id, name, token }}
            />
          ))}
        </Group>
      );
    case 'relation': {
      const target = collections.find(({ id }) => id === field.collectionId);
      const expanded = expandedOf(record, field.name);
      return values.map(String).map((id) => (
        <Anchor
          key={id}
          component={Link}
          size="sm"
          display="block"
          href={`/records/${encodeURIComponent(target?.name ?? '')}/${encodeURIComponent(id)}`}
        >
          {titleOf(target, expanded, id)}
        </Anchor>
      ));
    }
    default:
      return (
        <Text component="span" size="sm" style={{ whiteSpace: 'pre-wrap' }}>
          {cellText(value)}
        </Text>
      );
  }
}

function titleOf(target: Collection | undefined, expanded: RecordRow[], id: string): string {
  const record = expanded.find((one) => one.id === id);
  const title = record ? recordTitle(target, record) : id;
  return title === id ? id : `${title} (${id})`;
}

function Point({ label, value }: { label: string; value: GeoPoint }) {
  if (!isPlace(value)) {
    return '–';
  }
  return (
    <Stack gap={6}>
      <span>{placeText(value)}</span>
      <Place label={label} value={value} />
    </Stack>
  );
}

interface FilePlace {
  collection: string;
  record: string;
  name: string;
  token: string | undefined;
}

function FileLink({ place }: { place: FilePlace }) {
  return (
    <Anchor href={fileUrl(place)} target="_blank" rel="noopener" size="sm">
      <Group gap={6} wrap="nowrap">
        <Thumb name={place.name} src={fileUrl(place, { thumb: '100x100' })} size={56} />
        {place.name}
      </Group>
    </Anchor>
  );
}
