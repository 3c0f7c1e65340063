import { Badge, Button, Group, Paper, Text, Title } from '@mantine/core';
import { IconFlask, IconLock, IconLockOpen } from '@tabler/icons-react';
import { useState } from 'react';
import { FilterInput } from '../language/FilterInput';
import type { Scope } from '../language/scope';
import { useErrorAt } from './errors';
import type { RuleInfo } from './rules';

interface RuleEditorProps {
  info: RuleInfo;
  /** null is locked, an empty text open to everybody. */
  value: string | null;
  scope: Scope;
  onChange: (rule: string | null) => void;
  onTest: (() => void) | undefined;
}

/** One rule: locked, or an expression. */
export function RuleEditor({ info, value, scope, onChange, onTest }: RuleEditorProps) {
  const error = useErrorAt(info.name);
  // A rule that is unlocked again comes back as it was.
  const [last, setLast] = useState(value ?? '');
  const locked = value === null;
  return (
    <Paper withBorder p="sm" component="section" aria-label={info.label}>
      <Group justify="space-between" gap="xs" mb={4}>
        <Group gap="xs">
          <Title order={2} size="h3">
            {info.label}
          </Title>
          <State value={value} info={info} />
        </Group>
        <Group gap={4}>
          {onTest && !locked && value !== '' && (
            <Button
              size="compact-sm"
              variant="subtle"
              leftSection={<IconFlask size={15} />}
              onClick={onTest}
            >
              Test
            </Button>
          )}
          <Button
            size="compact-sm"
            variant="subtle"
            color="gray"
            leftSection={locked ? <IconLockOpen size={15} /> : <IconLock size={15} />}
            onClick={() => {
              if (locked) {
                onChange(last);
              } else {
                setLast(value);
                onChange(null);
              }
            }}
          >
            {locked ? 'Unlock' : 'Lock'}
          </Button>
        </Group>
      </Group>
      <Text size="sm" c="dimmed" mb={locked ? 0 : 'xs'}>
        {info.help}
      </Text>
      {!locked && (
        <FilterInput
          label={`Rule: ${info.label}`}
          hideLabel
          value={value}
          onChange={onChange}
          scope={scope}
          error={error}
          placeholder="Empty: everybody"
        />
      )}
    </Paper>
  );
}

function State({ value, info }: { value: string | null; info: RuleInfo }) {
  if (value === null) {
    return (
      <Badge
        variant="light"
        color="gray"
        radius="sm"
        tt="none"
        leftSection={<IconLock size={12} />}
      >
        {info.locked}
      </Badge>
    );
  }
  if (value.trim() === '') {
    return (
      <Badge
        variant="light"
        color={info.name === 'authRule' ? 'teal' : 'orange'}
        radius="sm"
        tt="none"
      >
        {info.open}
      </Badge>
    );
  }
  return null;
}
