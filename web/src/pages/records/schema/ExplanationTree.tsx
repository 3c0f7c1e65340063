import { Code, Group, Text, ThemeIcon } from '@mantine/core';
import { IconCheck, IconQuestionMark, IconX } from '@tabler/icons-react';
import classes from './ExplanationTree.module.css';

/** Why a rule says what it says. */
export interface Explanation {
  allowed: boolean;
  summary?: string;
  tree?: ExplanationNode | null;
}

/** A part of a rule with its verdict. */
export interface ExplanationNode {
  /** The part as it is written. */
  text: string;
  verdict: 'yes' | 'no' | 'unknown';
  /** What its sides were, where it compares. */
  left?: unknown;
  right?: unknown;
  children?: ExplanationNode[];
}

const MARKS = {
  yes: { color: 'teal', icon: IconCheck, label: 'true' },
  no: { color: 'red', icon: IconX, label: 'false' },
  unknown: { color: 'gray', icon: IconQuestionMark, label: 'not decided' },
};

/** Every part of a rule with its verdict and the values that led to it. */
export function ExplanationTree({ node }: { node: ExplanationNode }) {
  return (
    <ul className={classes.tree} aria-label="Why">
      <Node node={node} />
    </ul>
  );
}

function Node({ node }: { node: ExplanationNode }) {
  const { color, icon: Icon, label } = MARKS[node.verdict];
  const children = node.children ?? [];
  return (
    <li>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <ThemeIcon
          size={20}
          radius="xl"
          color={color}
          variant="light"
          role="img"
          aria-label={label}
        >
          <Icon size={13} />
        </ThemeIcon>
        <div className={classes.body}>
          <Code>{node.text}</Code>
          {children.length === 0 && (node.left !== undefined || node.right !== undefined) && (
            <Text size="xs" c="dimmed">
              <Value value={node.left} /> compared with <Value value={node.right} />
            </Text>
          )}
        </div>
      </Group>
      {children.length > 0 && (
        <ul className={classes.tree}>
          {children.map((child, place) => (
            // The same comparison may stand twice in a rule, always in the same order.
            // biome-ignore lint/suspicious/noArrayIndexKey: the tree is replaced as a whole
            <Node key={place} node={child} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Value({ value }: { value: unknown }) {
  return <b>{value === undefined ? 'nothing' : JSON.stringify(value)}</b>;
}
