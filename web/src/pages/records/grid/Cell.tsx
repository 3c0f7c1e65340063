import { Anchor, Badge, Code, Group, Text } from '@mantine/core';
import { IconCheck, IconMinus } from '@tabler/icons-react';
import { Link } from 'wouter';
import type { Collection, CollectionField, RecordRow } from '@/api/types';
import { Time } from '@/components/Time';
import { parseTime } from '@/format';
import { CellText } from '../fields';
import { Thumb } from '../form/FileControl';
import { fileUrl } from '../form/files';
import { type GeoPoint, isPlace, placeText } from '../place/point';
import { recordTitle } from '../queries';

const SHOWN = 3;

interface CellProps {
  collection: Collection;
  collections: Collection[];
  field: CollectionField;
  record: RecordRow;
  token: string | undefined;
}

/** A value where there is little room. */
export function Cell(props: CellProps) {
  const { field, record } = props;
  const value = record[field.name];
  switch (field.type) {
    case 'bool':
      return value ? (
        <IconCheck size={18} aria-label="yes" color="var(--mantine-color-teal-6)" />
      ) : (
        <IconMinus size={18} aria-label="no" opacity={0.4} />
      );
    case 'date':
    case 'autodate':
      return <Time ms={parseTime(value)} />;
    case 'select':
      return <Choices values={asList(value)} />;
    case 'file':
      return <Files {...props} names={asList(value)} />;
    case 'relation':
      return <Relations {...props} ids={asList(value)} />;
    case 'json':
      return value === null || value === undefined ? (
        <CellText value={null} />
      ) : (
        <Code style={{ fontSize: 11, whiteSpace: 'nowrap', overflow: 'hidden' }}>
          {shortened(value)}
        </Code>
      );
    case 'geoPoint': {
      const point = (value ?? { lon: 0, lat: 0 }) as GeoPoint;
      return (
        <Text span size="sm" style={{ whiteSpace: 'nowrap' }}>
          {isPlace(point) ? placeText(point) : '–'}
        </Text>
      );
    }
    case 'editor':
      return <CellText value={stripped(String(value ?? ''))} />;
    default:
      return <CellText value={value} />;
  }
}

const JSON_LENGTH = 32;

function shortened(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > JSON_LENGTH ? `${text.slice(0, JSON_LENGTH)}…` : text;
}

function stripped(html: string): string {
  return html
    .slice(0, 2000)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200);
}

function asList(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.map(String);
  }
  return typeof value === 'string' && value !== '' ? [value] : [];
}

function More({ count }: { count: number }) {
  return count > SHOWN ? (
    <Text span size="xs" c="dimmed">
      +{count - SHOWN}
    </Text>
  ) : null;
}

function Choices({ values }: { values: string[] }) {
  if (values.length === 0) {
    return <CellText value={null} />;
  }
  return (
    <Group gap={4} component="span">
      {values.slice(0, SHOWN).map((value) => (
        <Badge key={value} variant="default" radius="sm" tt="none" fw={500}>
          {value}
        </Badge>
      ))}
      <More count={values.length} />
    </Group>
  );
}

function Files({ collection, record, token, names }: CellProps & { names: string[] }) {
  if (names.length === 0) {
    return <CellText value={null} />;
  }
  return (
    <Group gap={4} wrap="nowrap" component="span">
      {names.slice(0, SHOWN).map((name) => (
        <Thumb
          key={name}
          name={name}
          size={28}
          src={fileUrl(
            { collection: collection.id, record: record.id, name, token },
            { thumb: '100x100' },
          )}
        />
      ))}
      <More count={names.length} />
    </Group>
  );
}

function Relations({ collections, field, record, ids }: CellProps & { ids: string[] }) {
  if (ids.length === 0) {
    return <CellText value={null} />;
  }
  const target = collections.find(({ id }) => id === field.collectionId);
  const expanded = expandedOf(record, field.name);
  return (
    <Group gap={6} component="span">
      {ids.slice(0, SHOWN).map((id) => {
        const found = expanded.find((one) => one.id === id);
        return (
          <Anchor
            key={id}
            component={Link}
            size="sm"
            maw={180}
            truncate
            href={`/records/${encodeURIComponent(target?.name ?? '')}/${encodeURIComponent(id)}`}
          >
            {found ? recordTitle(target, found) : id}
          </Anchor>
        );
      })}
      <More count={ids.length} />
    </Group>
  );
}

/** The records that a field was expanded to. */
export function expandedOf(record: RecordRow, name: string): RecordRow[] {
  const expand = (record.expand ?? {}) as Record<string, RecordRow | RecordRow[] | undefined>;
  const value = expand[name];
  return value === undefined ? [] : [value].flat();
}
