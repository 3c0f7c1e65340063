import { Alert, Stack, Text } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { Collection, RuleName } from '@/api/types';
import type { Scope } from '../language/scope';
import { useCollections } from '../queries';
import type { Draft } from './draft';
import { RuleEditor } from './RuleEditor';
import { RuleTester } from './RuleTester';
import { rulesOf } from './rules';

interface RulesProps {
  draft: Draft;
  /** The collection as it is stored, which rules are tested against; none for a new one. */
  stored: Collection | undefined;
  onChange: (draft: Draft) => void;
}

/** Who may do what. */
export function Rules({ draft, stored, onChange }: RulesProps) {
  const { data: collections = [] } = useCollections();
  const [tested, setTested] = useState<RuleName | null>(null);
  const scope = useMemo<Scope>(() => {
    const collection = { ...draft, fields: draft.fields.filter(({ removed }) => !removed) };
    return {
      collection,
      collections: [...collections.filter(({ id }) => id !== draft.id), collection],
      isRule: true,
    };
  }, [draft, collections]);
  return (
    <Stack gap="lg">
      <Alert variant="light" color="gray" icon={<IconInfoCircle />} p="sm">
        <Text size="sm">
          A rule is a filter that a record has to match. Administrators pass all rules. Ctrl+Space
          shows what can be written.
        </Text>
      </Alert>
      {rulesOf(draft.type).map((info) => (
        <RuleEditor
          key={info.name}
          info={info}
          value={draft[info.name] ?? null}
          scope={scope}
          onChange={(rule) => onChange({ ...draft, [info.name]: rule })}
          onTest={stored ? () => setTested(info.name) : undefined}
        />
      ))}
      {stored && (
        <RuleTester
          collection={stored}
          scope={scope}
          info={rulesOf(draft.type).find(({ name }) => name === tested) ?? null}
          rule={tested ? (draft[tested] ?? null) : null}
          onClose={() => setTested(null)}
        />
      )}
    </Stack>
  );
}
