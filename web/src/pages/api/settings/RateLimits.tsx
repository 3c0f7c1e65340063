import {
  ActionIcon,
  Autocomplete,
  Button,
  Fieldset,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Text,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useCollections } from '@/pages/records/queries';
import { ListSetting, SwitchSetting, useSettingsForm } from './inputs';
import type { RateLimitRule } from './types';

const ACTIONS = ['list', 'view', 'create', 'update', 'delete', 'file', 'auth', 'listAuthMethods'];
const AUDIENCES = [
  { value: '', label: 'everybody' },
  { value: '@guest', label: 'who is not signed in' },
  { value: '@auth', label: 'who is signed in' },
];

/** How often something may be asked. */
export function RateLimits() {
  const { settings, set } = useSettingsForm();
  const { data = [] } = useCollections();
  const { rules } = settings.rateLimits;
  const change = (next: RateLimitRule[]) => set('rateLimits.rules', next);
  const labels = [
    '/api/',
    '/api/batch',
    ...ACTIONS.map((action) => `*:${action}`),
    ...data.flatMap(({ name, system }) =>
      system ? [] : [`${name}:create`, `${name}:list`, `${name}:auth`],
    ),
  ];
  return (
    <Stack>
      <SwitchSetting
        path="rateLimits.enabled"
        label="Requests are limited"
        description="The gateway has limits of its own, whatever stands here."
      />
      {rules.map((rule, place) => (
        <Rule
          // A rule has no name of its own, and two may be the same.
          // biome-ignore lint/suspicious/noArrayIndexKey: a rule is its place
          key={place}
          place={place}
          rule={rule}
          labels={[...new Set(labels)]}
          onChange={(next) => change(rules.toSpliced(place, 1, next))}
          onRemove={() => change(rules.toSpliced(place, 1))}
        />
      ))}
      <Button
        variant="default"
        leftSection={<IconPlus size={16} />}
        style={{ alignSelf: 'start' }}
        onClick={() =>
          change([...rules, { label: '', audience: '', duration: 10, maxRequests: 100 }])
        }
      >
        New limit
      </Button>
      <ListSetting
        path="rateLimits.excludedIPs"
        label="Addresses without limits"
        placeholder="192.0.2.1"
      />
      <Text size="xs" c="dimmed">
        The limit that fits best counts: collection:action before *:action before a path, a longer
        path before a shorter one that ends with /.
      </Text>
    </Stack>
  );
}

interface RuleProps {
  place: number;
  rule: RateLimitRule;
  labels: string[];
  onChange: (rule: RateLimitRule) => void;
  onRemove: () => void;
}

function Rule({ place, rule, labels, onChange, onRemove }: RuleProps) {
  const { errors } = useSettingsForm();
  const path = `rateLimits.rules.${place}`;
  return (
    <Fieldset p="xs" aria-label={`Limit ${place + 1}`}>
      <Group gap="xs" align="flex-end" wrap="nowrap">
        <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} spacing="xs" flex={1}>
          <Autocomplete
            label="What"
            placeholder="*:auth"
            data={labels}
            value={rule.label}
            error={errors[`${path}.label`]}
            onChange={(label) => onChange({ ...rule, label })}
          />
          <Select
            label="For"
            allowDeselect={false}
            data={AUDIENCES}
            value={rule.audience}
            error={errors[`${path}.audience`]}
            onChange={(audience) => onChange({ ...rule, audience: audience ?? '' })}
          />
          <NumberInput
            label="Requests"
            allowDecimal={false}
            value={rule.maxRequests}
            error={errors[`${path}.maxRequests`]}
            onChange={(value) => onChange({ ...rule, maxRequests: Number(value) || 0 })}
          />
          <NumberInput
            label="In seconds"
            allowDecimal={false}
            value={rule.duration}
            error={errors[`${path}.duration`]}
            onChange={(value) => onChange({ ...rule, duration: Number(value) || 0 })}
          />
        </SimpleGrid>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={`Remove limit ${place + 1}`}
          onClick={onRemove}
        >
          <IconTrash size={16} />
        </ActionIcon>
      </Group>
    </Fieldset>
  );
}
