import { Badge, Code, Group, Text, ThemeIcon } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import type { Explanation } from '@/api/types';
import classes from './ExplanationTree.module.css';

/** Every part of a rule with its verdict and the values that led to it. */
export function ExplanationTree({ node }: { node: Explanation }) {
  return (
    <ul className={classes.tree} aria-label="Why">
      <Node node={node} />
    </ul>
  );
}

const KINDS = { all: 'all of', any: 'one of' };

function Node({ node }: { node: Explanation }) {
  const { kind, text, holds, left, right, parts } = node;
  const label = holds ? 'holds' : 'does not hold';
  return (
    <li>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <ThemeIcon
          size={20}
          radius="xl"
          color={holds ? 'teal' : 'red'}
          variant="light"
          role="img"
          aria-label={label}
        >
          {holds ? <IconCheck size={13} /> : <IconX size={13} />}
        </ThemeIcon>
        <div className={classes.body}>
          {kind !== 'compare' && (
            <Badge variant="default" radius="sm" tt="none" size="sm" mr={6}>
              {KINDS[kind]}
            </Badge>
          )}
          <Code>{text}</Code>
          {kind === 'compare' && (
            <Text size="xs" c="dimmed" mt={2}>
              <Values values={left} /> compared with <Values values={right} />
            </Text>
          )}
        </div>
      </Group>
      {parts.length > 0 && (
        <ul className={classes.tree}>
          {parts.map((part, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the same comparison may stand twice
            <Node key={place} node={part} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Values({ values }: { values: unknown[] }) {
  if (values.length === 0) {
    return <b>nothing</b>;
  }
  return <b>{values.map((value) => JSON.stringify(value)).join(', ')}</b>;
}
